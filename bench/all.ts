/**
 * `npm run bench`, or with the argument `slurm` `npm run bench:slurm`: every script after the other, each in a process of
 * its own; their ratios once more at the end.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { packagePath } from '../src/lib/package-root.ts';

const sets: Readonly<Record<string, readonly string[]>> = {
  host: ['docker-launch', 'mailbox', 'post', 'api', 'backlog'],
  slurm: ['ssh-commands', 'slurm-burst', 'slurm-rpcs'],
};

const wanted = process.argv[2] ?? 'host';
const names = sets[wanted];
if (!names) throw new Error(`There is no set "${wanted}"; known sets: ${Object.keys(sets).join(', ')}`);

const ratios: string[] = [];
for (const name of names) {
  console.log(`\n${name}`);
  const child = spawn(process.execPath, [packagePath('bench', `${name}.ts`)], { stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.on('data', (chunk: Buffer) => {
    process.stdout.write(chunk);
    ratios.push(...(chunk.toString().match(/^ratio .+$/gm) ?? []));
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) process.exitCode = 1;
}
console.log(`\n${ratios.join('\n')}`);
