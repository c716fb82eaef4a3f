/** What becomes of a service that has no room for the streams of another program. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { packagePath } from '../../../../src/lib/package-root.ts';

const at = (name: string): string => JSON.stringify(packagePath('launchers', 'host', name));

/** Tries each that starts one where all files are taken, and prints what they were told. */
const script = `
import { openSync } from 'node:fs';
import { createAgentProcessHost } from ${at('agent-process.ts')};
import { createOpensshConnector } from ${at('openssh-connection.ts')};
import { createLocalHost } from ${at('local-host.ts')};
const signal = new AbortController().signal;
const login = { name: 'a@b', host: 'b', user: 'a', directory: '/', check: async () => 1, through: () => ['cat'] };
const connection = await createOpensshConnector(login, { channels: 4, openMs: 1000 }).connect(signal);
const agent = createAgentProcessHost({ name: 'x', argv: ['cat'], scratchRoots: [], helloMs: 1000 });
const local = createLocalHost({ scratchRoots: [] });
console.log('ready');
try {
  for (;;) openSync('/dev/null', 'r');
} catch {}
for (const call of [
  () => connection.withChannel('true', async () => undefined),
  () => agent.list('/'),
  () => local.run({ argv: ['true'], parse: () => undefined }, signal),
]) {
  await call().then(() => console.log('done'), (error) => console.log(error.code, error.retryable));
}
setImmediate(() => console.log('alive'));
`;

it('goes on, and whoever wanted it is told to come again', async () => {
  const node = [process.execPath, '--input-type=module', '-e', script];
  const { stdout } = await promisify(execFile)('sh', ['-c', 'ulimit -n 64; exec "$@"', 'sh', ...node]);
  const refused = 'host.unavailable true';
  expect(stdout.trim().split('\n')).toEqual(['ready', refused, refused, refused, 'alive']);
});
