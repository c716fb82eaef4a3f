/** Images that only the engine beside the service has: their ids, and the archive that `docker save` writes. */

import { type IncomingMessage, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { asError, LauncherError, UnavailableError } from '../../src/errors.ts';
import { isDigest } from '../../src/launcher/image-name.ts';
import { createIdleLimit, type IdleLimit } from '../../src/lib/idle-limit.ts';

export interface EngineImages {
  /** The id, by name or by itself. Rejects with `image.not_found`, or `launcher.unavailable` where no engine answers. */
  identify(reference: string, signal: AbortSignal): Promise<string>;
  /** The archive of an image, by its id. */
  save(id: string, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** Whoever waits for an engine waits so long for its next word. Some write a whole archive before they send any of it. */
const silentMs = { id: 60_000, archive: 1_800_000 } as const;

interface Patience {
  /** Of whoever asks. */
  readonly signal: AbortSignal;
  readonly idle: IdleLimit;
}

/** @param socket of the engine; where it is empty there is none, and all is refused. */
export function createEngineImages(socket: string): EngineImages {
  function away(what: string, thrown: unknown, { signal, idle }: Patience): unknown {
    if (signal.aborted) return signal.reason;
    const cause = idle.signal.aborted ? idle.signal.reason : thrown;
    const message = `Engine at "${socket}" ${what}: ${asError(cause).message}`;
    return new UnavailableError('launcher.unavailable', message, { cause });
  }

  async function ask(path: string, what: string, patience: Patience): Promise<IncomingMessage> {
    if (socket === '') {
      throw new LauncherError(
        'image.invalid',
        `Image "docker-daemon:${what}" cannot be had: the launcher has no "engine"`,
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const signal = AbortSignal.any([patience.signal, patience.idle.signal]);
    request({ socketPath: socket, path, signal }, resolve).on('error', reject).end();
    const answer = await promise.catch((thrown: unknown) => {
      throw away('does not answer', thrown, patience);
    });
    if (answer.statusCode === 200) return answer;
    answer.resume();
    if (answer.statusCode === 404) {
      throw new LauncherError(
        'image.not_found',
        `Image "docker-daemon:${what}" is not there: the engine does not have it`,
      );
    }
    throw new UnavailableError(
      'launcher.unavailable',
      `Engine at "${socket}" answers ${answer.statusCode} for "${what}"`,
    );
  }

  return {
    async identify(reference, signal) {
      using idle = createIdleLimit(silentMs.id, () => silent(silentMs.id));
      // Checked names, of letters that a path takes as they are.
      const answer = await ask(`/images/${reference}/json`, reference, { signal, idle });
      const { Id: id } = (await json(answer).catch((thrown: unknown) => {
        throw away('does not answer to the end', thrown, { signal, idle });
      })) as { readonly Id?: unknown };
      if (typeof id !== 'string' || !isDigest(id)) {
        throw new LauncherError('image.invalid', `Image "docker-daemon:${reference}" has no id that we understand`);
      }
      return id;
    },
    async *save(id, signal) {
      using idle = createIdleLimit(silentMs.archive, () => silent(silentMs.archive));
      const answer = await ask(`/images/${id}/get`, id, { signal, idle });
      try {
        for await (const part of answer as AsyncIterable<Uint8Array>) {
          idle.beat();
          yield part;
        }
      } catch (thrown) {
        throw away('does not answer to the end', thrown, { signal, idle });
      }
    },
  };
}

function silent(forMs: number): Error {
  return new Error(`it has said nothing for ${forMs / 60_000} min`);
}
