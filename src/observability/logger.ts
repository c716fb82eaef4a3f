/** The service's own log: pino, object first, constant text second. */

import { pino } from 'pino';

export type { Logger } from 'pino';

export interface LoggerOptions {
  readonly level: string;
  readonly pretty: boolean;
}

/** Values under these keys never reach the log. */
const redacted = ['req.headers.authorization', 'req.headers["x-nonce"]', 'password', 'token', 'secret', '*.password'];

export function createLogger({ level, pretty }: LoggerOptions): pino.Logger {
  const destination = pretty
    ? pino.transport({
        target: 'pino-pretty',
        options: { destination: 2, translateTime: 'HH:MM:ss', ignore: 'pid,hostname' },
      })
    : pino.destination({ dest: 2, sync: true });
  return pino({ level, redact: { paths: redacted, censor: '[hidden]' }, base: null }, destination);
}
