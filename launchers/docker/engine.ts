/**
 * The connection to a container engine: one question, one answer.
 *
 * dockerode's own methods never settle when the engine dies in the middle of an answer (its modem waits for an `end`
 * that does not come), so every question goes through `dial` as a stream that is read here to its end.
 */

import { Agent } from 'node:http';
import { inspect } from 'node:util';
import Dockerode from 'dockerode';
import { asError } from '../../src/errors.ts';
import { optional } from '../../src/lib/optional.ts';
import { EngineRefusal, unreachable } from './engine-error.ts';

export interface EngineQuestion {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | Readonly<Record<string, readonly string[]>>>>;
  readonly body?: unknown;
  /** A tar archive, sent instead of `body`. */
  readonly archive?: Buffer;
  readonly credentials?: RegistryCredentials;
  /** Nothing given is the engine's usual limit; `none` for questions that are answered when something happens. */
  readonly limit?: 'none';
  /** Told whenever a part of the answer has come. */
  readonly onBytes?: () => void;
}

export interface RegistryCredentials {
  readonly username: string;
  readonly password: string;
  readonly serveraddress: string;
}

export interface Engine {
  readonly socket: string;
  /**
   * Rejects with `EngineRefusal` when the engine said no, with `UnavailableError` when it did not answer, and with
   * the reason of `signal` when that was aborted.
   *
   * @returns the answer as JSON; an answer of several lines as an array; nothing for an empty one.
   */
  ask(question: EngineQuestion, signal?: AbortSignal): Promise<unknown>;
  /** Lets go of the connections; questions under way reject. */
  close(): void;
}

/** Every status is read here, none by dockerode. */
const anyStatus = Object.fromEntries(
  [200, 201, 204, 304, 400, 401, 403, 404, 405, 406, 409, 500, 501, 503].map((s) => [s, true]),
);

export function createEngine(options: { readonly socket: string; readonly answerMs: number }): Engine {
  const agent = new Agent({ keepAlive: true });
  // docker-modem describes every request, its agent with all connections included, for a debug log that is off: more work
  // than all else we do for an attempt.
  Object.assign(agent, { [inspect.custom]: () => 'Agent' });
  // An empty host keeps a DOCKER_HOST in the environment from taking the place of the configured socket. The types
  // of dockerode lack the agent that its modem takes.
  const settings: Dockerode.DockerOptions & { agent: Agent } = { socketPath: options.socket, host: '', agent };
  const { modem } = new Dockerode(settings) as { modem: Modem };
  const closed = new AbortController();

  async function ask(question: EngineQuestion, signal?: AbortSignal): Promise<unknown> {
    signal?.throwIfAborted();
    const limit = question.limit === 'none' ? [] : [AbortSignal.timeout(options.answerMs)];
    const abortSignal = AbortSignal.any([closed.signal, ...limit, ...(signal ? [signal] : [])]);
    try {
      const response = await dial(modem, question, abortSignal);
      return readAnswer(response.statusCode ?? 0, await readText(response, question.onBytes));
    } catch (error) {
      if (error instanceof EngineRefusal) throw error;
      signal?.throwIfAborted();
      throw unreachable(options.socket, abortSignal.aborted ? asError(abortSignal.reason) : asError(error));
    }
  }

  return {
    socket: options.socket,
    ask,
    close() {
      closed.abort(new Error('the launcher was closed'));
      agent.destroy();
    },
  };
}

type Modem = Dockerode['modem'];
interface Response extends NodeJS.ReadableStream {
  readonly statusCode?: number;
}

function dial(modem: Modem, question: EngineQuestion, abortSignal: AbortSignal): Promise<Response> {
  return new Promise((resolve, reject) => {
    modem.dial(
      {
        path: `${question.path}?`,
        method: question.method,
        options: { _query: question.query ?? {}, _body: question.body ?? {} },
        ...optional('file', question.archive),
        ...optional('authconfig', question.credentials && { ...question.credentials }),
        isStream: true,
        statusCodes: anyStatus,
        abortSignal,
      },
      (error, response) => (error ? reject(error) : resolve(response as Response)),
    );
  });
}

async function readText(response: Response, onBytes?: () => void): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) {
    onBytes?.();
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks).toString();
}

function readAnswer(status: number, body: string): unknown {
  const values = parseLines(body);
  if (status >= 400) throw new EngineRefusal(status, messageOf(values) ?? body.trim());
  const failure = values
    .map((value) => (value as { error?: unknown } | null)?.error)
    .find((error) => error !== undefined);
  // A pull answers 200 at once and says in its last line that it failed.
  if (typeof failure === 'string') throw new EngineRefusal(status, failure);
  return values.length > 1 ? values : values[0];
}

function parseLines(body: string): unknown[] {
  try {
    return body.trim() === '' ? [] : [JSON.parse(body)];
  } catch {
    return body.split('\n').flatMap(parseLine);
  }
}

function parseLine(line: string): unknown[] {
  try {
    return line.trim() === '' ? [] : [JSON.parse(line)];
  } catch {
    return [];
  }
}

function messageOf(values: readonly unknown[]): string | undefined {
  const message = (values[0] as { message?: unknown } | undefined)?.message;
  return typeof message === 'string' ? message : undefined;
}
