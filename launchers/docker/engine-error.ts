/** What an engine's no means: nothing there, a refusal that stays one, or trouble that may pass. */

import { InvalidError, LauncherError, type ServiceError, UnavailableError } from '../../src/errors.ts';

/** The engine answered, and it was an error. */
export class EngineRefusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'EngineRefusal';
    this.status = status;
  }
}

export function isRefusal(error: unknown, ...statuses: readonly number[]): error is EngineRefusal {
  return error instanceof EngineRefusal && statuses.includes(error.status);
}

/** The engine did not answer. */
export function unreachable(socket: string, cause: Error): UnavailableError {
  const why = reasons[(cause as NodeJS.ErrnoException).code ?? cause.name] ?? cause.message;
  return new UnavailableError(
    'launcher.unavailable',
    `Container engine at "${socket}" does not answer: ${why}; check that it runs and that this user may use its socket`,
    { cause },
  );
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'the socket does not exist',
  ECONNREFUSED: 'nobody listens on the socket',
  EACCES: 'this user may not open the socket',
  ECONNRESET: 'it closed the connection',
  TimeoutError: 'it took too long',
};

/**
 * Engines answer 500 both when they are in trouble themselves and when they could not do what a container asks for.
 * These words come with the second sort: nothing helps but another description.
 */
const containersFault =
  /OCI runtime|runc|exec format|unable to find (?:user|group)|no matching entries|invalid mount|mount source|not a directory|invalid (?:argument|reference)|could not select device|not supported|privileged mode/i;
const noSpace = /no space left on device|disk quota exceeded/i;

/** Of a file server that may come back; everything else about such a mount an operator has to mend. */
const serverIsAway = /refused|timed out|timeout|no route|is down|unreachable|temporarily|input\/output|no such host/i;

/** What a refused create or start means for the attempt. */
export function launchFailure(error: unknown, subject: string): unknown {
  if (!(error instanceof EngineRefusal)) return error;
  if (noSpace.test(error.message)) {
    return new UnavailableError('launcher.disk_full', `${subject} was not started: the engine's disk is full`, {
      cause: error,
    });
  }
  const missing = /bind source path does not exist: (.*)$/s.exec(error.message)?.[1];
  if (missing !== undefined) {
    const what = `directory "${missing}", which is to be mounted, is not there`;
    const help = 'an operator makes it, with its owner and mode; nobody else does';
    return new LauncherError('mount.missing', `${subject} was not started: ${what}; ${help}`, { cause: error });
  }
  if (/failed to mount local volume|network volume address/.test(error.message)) {
    const message = `${subject} was not started: ${error.message}`;
    if (!serverIsAway.test(error.message)) return new LauncherError('launcher.rejected', message, { cause: error });
    return new UnavailableError('launcher.unavailable', message, { cause: error });
  }
  const isContainers = error.status < 500 || containersFault.test(error.message);
  if (!isContainers) {
    return new UnavailableError('launcher.unavailable', `${subject} was not started: ${error.message}`, {
      cause: error,
    });
  }
  return new LauncherError('launcher.rejected', `${subject} was not started: ${error.message}`, { cause: error });
}

/** What a refused pull means. The words are the registries' own; the statuses of engines differ for the same case. */
export function pullFailure(error: unknown, image: string): unknown {
  if (!(error instanceof EngineRefusal)) return error;
  return pullCase(error, image);
}

const notFound = /manifest unknown|not found|does not exist|name unknown|no such image/i;
const denied = /unauthorized|no basic auth|denied|forbidden|authentication required|incorrect username or password/i;
const badName = /invalid reference|invalid repository|could not parse/i;

function pullCase(error: EngineRefusal, image: string): ServiceError {
  const options = { cause: error };
  if (noSpace.test(error.message)) {
    return new UnavailableError(
      'launcher.disk_full',
      `Image "${image}" was not pulled: the engine's disk is full`,
      options,
    );
  }
  if (badName.test(error.message)) {
    return new InvalidError('image.invalid', `Image "${image}" was refused by the engine: ${error.message}`, options);
  }
  // Docker Hub says "denied" and "does not exist" of an image that is missing; the second is the more useful half.
  if (notFound.test(error.message)) {
    const help = 'check its name and tag, and whether it needs credentials';
    return new LauncherError(
      'image.not_found',
      `Image "${image}" was not found in its registry: ${error.message}; ${help}`,
      options,
    );
  }
  if (denied.test(error.message)) {
    const help = 'an operator gives credentials in the registries table of the launcher';
    return new LauncherError(
      'image.denied',
      `Image "${image}" was refused by its registry: ${error.message}; ${help}`,
      options,
    );
  }
  return new UnavailableError(
    'image.registry_unavailable',
    `Image "${image}" was not pulled: ${error.message}`,
    options,
  );
}

/** An image may have as many layers as its engine stacks, and the one that is put over it is one too many then. */
const tooManyLayers = /max depth exceeded/i;

/** What is refused of putting our layer over an image that the engine has. */
export function layerFailure(error: unknown, image: string): unknown {
  if (!(error instanceof EngineRefusal)) return error;
  const options = { cause: error };
  const message = `Image "${image}" was not made ready: ${error.message}`;
  if (tooManyLayers.test(error.message)) return new LauncherError('image.invalid', message, options);
  return new UnavailableError(
    noSpace.test(error.message) ? 'launcher.disk_full' : 'launcher.unavailable',
    message,
    options,
  );
}
