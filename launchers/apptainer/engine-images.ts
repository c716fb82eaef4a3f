/** Images that only the engine beside the service has: their ids, and the archive that `docker save` writes. */

import { type IncomingMessage, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { asError, LauncherError, UnavailableError } from '../../src/errors.ts';
import { isDigest } from '../../src/launcher/image-name.ts';

export interface EngineImages {
  /** The id, by name or by itself. Rejects with `image.not_found`, or `launcher.unavailable` where no engine answers. */
  identify(reference: string, signal: AbortSignal): Promise<string>;
  /** The archive of an image, by its id. */
  save(id: string, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** @param socket of the engine; where it is empty there is none, and all is refused. */
export function createEngineImages(socket: string): EngineImages {
  function away(what: string, thrown: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    const message = `Engine at "${socket}" ${what}: ${asError(thrown).message}`;
    return new UnavailableError('launcher.unavailable', message, { cause: thrown });
  }

  async function ask(path: string, what: string, signal: AbortSignal): Promise<IncomingMessage> {
    if (socket === '') {
      throw new LauncherError(
        'image.invalid',
        `Image "docker-daemon:${what}" cannot be had: the launcher has no "engine"`,
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    request({ socketPath: socket, path, signal }, resolve).on('error', reject).end();
    const answer = await promise.catch((thrown: unknown) => {
      throw away('does not answer', thrown, signal);
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
      // Checked names, of letters that a path takes as they are.
      const answer = await ask(`/images/${reference}/json`, reference, signal);
      const { Id: id } = (await json(answer).catch((thrown: unknown) => {
        throw away('does not answer to the end', thrown, signal);
      })) as { readonly Id?: unknown };
      if (typeof id !== 'string' || !isDigest(id)) {
        throw new LauncherError('image.invalid', `Image "docker-daemon:${reference}" has no id that we understand`);
      }
      return id;
    },
    async *save(id, signal) {
      const answer = await ask(`/images/${id}/get`, id, signal);
      try {
        yield* answer as AsyncIterable<Uint8Array>;
      } catch (thrown) {
        throw away('does not answer to the end', thrown, signal);
      }
    },
  };
}
