/** Works out the settings that were left empty because something else says them. */

import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import type { Environment } from './environment-layer.ts';
import type { MergedSettings } from './merge-layers.ts';
import { renderPath, type SettingPath } from './setting-path.ts';
import { isTable, type SettingsTree } from './settings-tree.ts';

/** Changes `merged`, in this order: later ones build on earlier ones. */
export function deriveSettings(merged: MergedSettings, env: Environment): void {
  derive(merged, ['service', 'data_dir'], () => dataDirectory(env));
  derive(merged, ['service', 'public_url'], () => publicUrl(tableAt(merged, 'service')));
  derive(merged, ['blobs', 'dir'], () => join(String(tableAt(merged, 'service')['data_dir']), 'blobs'));
  derive(merged, ['workers', 'host_id'], () => hostname());
  for (const name of Object.keys(tableAt(merged, 'queues'))) {
    derive(merged, ['queues', name, 'launcher'], () => String(tableAt(merged, 'service')['default_launcher']));
  }
}

function derive({ tree, origins }: MergedSettings, path: readonly [...SettingPath, string], value: () => string): void {
  const table = path.slice(0, -1).reduce<unknown>((inner, key) => (isTable(inner) ? inner[key] : undefined), tree);
  const key = path.at(-1) as string;
  if (!isTable(table) || table[key] !== '') return;
  table[key] = value();
  const name = renderPath(path);
  if (table[key] !== '') origins.set(name, `${origins.get(name) ?? 'default'}, worked out`);
}

function tableAt({ tree }: MergedSettings, section: string): SettingsTree {
  const table = tree[section];
  return isTable(table) ? table : {};
}

function dataDirectory(env: Environment): string {
  return join(env['XDG_STATE_HOME'] || join(env['HOME'] || homedir(), '.local', 'state'), 'abaco');
}

/** Empty while the port is not known; a host that means every address is said by name. */
function publicUrl({ host, port }: SettingsTree): string {
  if (port === 0) return '';
  const wildcard = host === '0.0.0.0' || host === '::';
  const name = wildcard ? hostname() : String(host);
  return `http://${name.includes(':') ? `[${name}]` : name}:${String(port)}`;
}
