/** Puts the agent and the `node` that runs it on a host: once per version, under names made of their content. */

import { shellLine } from '../../src/lib/shell.ts';
import type { Host } from './host.ts';
import { contentName, hashOf, installFile } from './install-file.ts';

export interface AgentFiles {
  /** The program `node` of this machine; needs glibc 2.28 there. */
  readonly node: string;
  /** The agent, bundled to one file. */
  readonly script: string;
}

/** What starts the agent there. It is the one program that `sudo` lets the service account run as others. */
export interface InstalledAgent {
  readonly wrapper: string;
  readonly version: string;
}

/** Checked by hash before it is used, whoever could have changed it. Others may read and run it, and not write. */
export async function installAgent(host: Host, directory: string, files: AgentFiles): Promise<InstalledAgent> {
  await host.makeDirectory(directory, 0o755);
  const node = await ensureFile(host, directory, 'node', files.node, 0o755);
  const script = await ensureFile(host, directory, 'agent', files.script, 0o644);
  const wrapper = `${directory}/abaco-agent`;
  const text = `#!/bin/sh\nexec ${shellLine([node, script, '--stdio'])}\n`;
  if ((await readText(host, wrapper)) !== text) await host.put(wrapper, Buffer.from(text), { mode: 0o755 });
  return { wrapper, version: await hashOf(files.script) };
}

async function ensureFile(host: Host, directory: string, name: string, local: string, mode: number): Promise<string> {
  const path = `${directory}/${name}-${await contentName(local)}`;
  await installFile(host, path, local, mode);
  return path;
}

async function readText(host: Host, path: string): Promise<string | undefined> {
  const [part] = await host.readMany([{ path, offset: 0, length: 10_000 }]);
  return part && Buffer.from(part.bytes).toString();
}
