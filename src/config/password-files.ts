import { readFileSync } from 'node:fs';
import type { ConfigProblem } from '../errors.ts';
import { reasonOf } from './layer.ts';
import type { MergedSettings } from './merge-layers.ts';
import { renderPath } from './setting-path.ts';
import { isTable, type SettingsTree } from './settings-tree.ts';

/** Puts the content of each registry's `password_file` into its `password`. Changes `merged`. */
export function readPasswordFiles({ tree, origins }: MergedSettings): readonly ConfigProblem[] {
  const registries = isTable(tree['registries']) ? tree['registries'] : {};
  return Object.entries(registries).flatMap(([name, registry]) => {
    const path = renderPath(['registries', name, 'password_file']);
    const where = origins.get(path) ?? 'configuration';
    const problem = isTable(registry) ? readPasswordFile(registry) : undefined;
    if (problem !== undefined) return [{ path, where, message: `Setting "${path}" ${problem}` }];
    if (isTable(registry) && registry['password_file'] !== '') {
      origins.set(renderPath(['registries', name, 'password']), `${where}, from the file`);
    }
    return [];
  });
}

/** @returns what is wrong, if anything is. */
function readPasswordFile(registry: SettingsTree): string | undefined {
  const { password, password_file: file } = registry;
  if (typeof file !== 'string' || file === '') return undefined;
  if (password !== '') return 'stands beside a password; keep one of them';
  try {
    registry['password'] = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    return undefined;
  } catch (thrown) {
    return `names a file that cannot be read: ${reasonOf(thrown)}`;
  }
}
