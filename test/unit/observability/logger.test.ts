/** Promise 5, the log's half. What is written is seen from outside, as an operator has it. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../support/package-root.ts';

const hidden = 'hunter2';

/** An error with `fields` beside its message. */
const failed = (fields: string): string => `{ err: Object.assign(new Error('it failed'), ${fields}) }`;

/** Each is the object of a line of the log. */
const objects = [
  ...['password', 'token', 'secret', 'authorization'].flatMap((name) => [
    `{ ${name}: hidden }`,
    `{ launcher: { ${name}: hidden } }`,
    `{ request: { headers: { ${name}: hidden } } }`,
    failed(`{ ${name}: hidden }`),
    failed(`{ options: { ${name}: hidden } }`),
  ]),
  `{ req: { headers: { authorization: hidden, 'x-nonce': hidden, 'x-jwt-assertion-lab': hidden } } }`,
  // As the client of Redis throws them: what was sent is messages, states and environments, or its password.
  failed(`{ command: { name: 'hello', args: ['3', 'AUTH', 'default', hidden] } }`),
  `{ err: new AggregateError([${failed(`{ command: { name: 'set', args: ['key', hidden] } }`)}.err], 'they failed') }`,
  `{ err: new Error('it failed', { cause: ${failed(`{ command: { name: 'set', args: ['key', hidden] } }`)}.err }) }`,
];

/** All that a process writes that logs each of them, at the level of its name, and ends. */
function logged(pretty: boolean): string {
  const program = `
    import { createLogger } from ${JSON.stringify(join(packageRoot, 'src/observability/logger.ts'))};
    const log = createLogger({ level: 'trace', pretty: ${pretty} });
    const hidden = ${JSON.stringify(hidden)};
    ${objects.map((object) => `log.info(${object}, 'told');\nlog.child(${object}).info({}, 'told');`).join('\n')}`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', program], {
    encoding: 'utf8',
  });
  return stdout + stderr;
}

it.each([
  ['JSON', false],
  ['text for people', true],
])('no secret reaches the log as %s, whatever object or error it is in', (_form, pretty) => {
  const output = logged(pretty);
  expect(output.match(/told/g)).toHaveLength(2 * objects.length);
  expect(output.match(/\[hidden\]/g)?.length).toBeGreaterThanOrEqual(2 * (objects.length - 1));
  expect(output.split('\n').filter((line) => line.includes(hidden))).toEqual([]);
});
