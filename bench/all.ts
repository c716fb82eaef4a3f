/** `npm run bench`: every script after the other, each in a process of its own; their ratios once more at the end. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { packagePath } from '../src/lib/package-root.ts';

const ratios: string[] = [];
for (const name of ['docker-launch', 'mailbox', 'post', 'backlog']) {
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
