/** The agent as a program of its own, bundled to one file for hosts that have nothing of ours. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { argv, exit, stdin, stdout } from 'node:process';
import { serveAgent } from './serve-agent.ts';

if (argv[2] !== '--stdio') {
  console.error('usage: abaco-agent --stdio');
  exit(2);
}
const version = createHash('sha256')
  .update(readFileSync(argv[1] ?? ''))
  .digest('hex');
await serveAgent({ version, input: stdin, output: stdout });
exit(0);
