/** The service's own log: pino, object first, constant text second. */

import { pino } from 'pino';

export type { Logger } from 'pino';

export interface LoggerOptions {
  readonly level: string;
  readonly pretty: boolean;
}

const secrets = ['password', 'token', 'secret', 'authorization'];

/**
 * Values under these keys never reach the log. The client of Redis adds to an error what it had sent: messages, states and
 * environments of actors, and its own password.
 */
const redacted = [
  'req.headers',
  ...secrets.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
  'err.command.args',
  'err.aggregateErrors[*].command.args',
];

export function createLogger({ level, pretty }: LoggerOptions): pino.Logger {
  const destination = pretty
    ? pino.transport({
        target: 'pino-pretty',
        options: { destination: 2, translateTime: 'HH:MM:ss', ignore: 'pid,hostname' },
      })
    : pino.destination({ dest: 2, sync: true });
  return pino({ level, redact: { paths: redacted, censor: '[hidden]' }, base: null }, destination);
}
