/**
 * What can go wrong, as classes that say what the caller can do. `code` says which case it was; codes are for ever,
 * messages are not. Message form: Thing "id" what happened: why; what would help.
 */

/** Every code with the sentence the documentation gives it. */
export const errorCodes = {
  'request.invalid': 'The request cannot succeed as it is; the message names the field.',
  'request.too_large': 'The body is above the configured limit.',
  'request.stale': 'If-Match names another version than the one that is there.',
  'request.unauthenticated': 'The request carries no valid credential.',
  'request.forbidden': 'The caller is known and not allowed.',
  'request.foreign': 'The request may be that of a foreign page, where nobody has to show a token.',
  'request.too_many': 'The user or the tenant has sent as many requests as the configuration allows for a minute.',
  'request.idempotency_conflict': 'The Idempotency-Key was used before with another body, content type or query.',
  'route.not_found': 'No such path, or the path does not offer this verb.',
  'actor.not_found': 'No such actor in this tenant.',
  'actor.unknown': 'No such actor in this tenant, as it is said to whom is no administrator.',
  'actor.invalid': 'The description of the actor is not valid.',
  'actor.too_many': 'The user or the tenant has as many actors as the configuration allows.',
  'actor.stateless': 'The actor keeps no state.',
  'actor.shutting_down': 'The actor is being deleted.',
  'execution.not_found': 'No such execution of this actor.',
  'execution.not_running': 'Only a running execution can be cancelled.',
  'execution.ended': 'The execution has ended; what it sends now is refused.',
  'stream.too_many': 'The user follows, or waits for, as much at once as the configuration allows.',
  'worker.not_found': 'No such worker of this actor.',
  'permission.invalid': 'The description of the permission is not valid.',
  'nonce.invalid': 'The description of the nonce is not valid.',
  'nonce.not_found': 'No such nonce of this actor or alias.',
  'nonce.refused': 'The nonce is unknown, used up, or not good for this.',
  'alias.invalid': 'The description of the alias is not valid.',
  'alias.taken': 'Another actor of the tenant has that alias.',
  'alias.not_found': 'No such alias in this tenant.',
  'actor_config.invalid': 'The description of the config is not valid.',
  'actor_config.taken': 'Another config of the tenant has that name.',
  'actor_config.not_found': 'No such config in this tenant.',
  'secret.no_key': 'The service has no key to keep secrets by.',
  'secret.unreadable': 'A secret does not open with the keys of the service; what needs it waits.',
  'message.too_many': 'As many messages wait for the actors of the user or the tenant as the configuration allows.',
  'mailbox.full': 'The mailbox holds as many messages as the configuration allows.',
  'mailbox.busy': 'Too many messages wait before one that somebody would wait for.',
  'identity.unknown': 'The directory does not know the user, so no program runs for it.',
  'identity.disabled': 'The account of the user is disabled or has expired.',
  'identity.system': 'The account is root, or one of the system, as which no program is run.',
  'identity.other': 'The account of that name on the host is another user, so no program runs for it.',
  'identity.unavailable': 'The directory of users does not answer.',
  'mount.invalid': 'A directory cannot be mounted for this user, or on this launcher.',
  'mount.missing': 'A directory that is to be mounted is not there; nobody makes it.',
  'launcher.unknown': 'The configuration names no such launcher.',
  'launcher.unavailable': 'The backend of the launcher does not answer; what waits for it goes on waiting.',
  'launcher.rejected': 'The backend of the launcher refused to start; nothing was started.',
  'launcher.disk_full': 'The host of the launcher has no space left for a run.',
  'host.unavailable': 'The host cannot be reached; nothing was run there.',
  'host.denied': 'The host does not let us in with the key we have.',
  'host.needs_login': 'Somebody has to log in to the host before it can be used: "abaco clusters login".',
  'host.no_key': 'No key is kept of the user, so nothing can be run there for them.',
  'host.key_unreadable': 'The key that is kept of the user does not open: another secret, or a file that was changed.',
  'host.key_unknown': 'No key of the host is known, so nobody can say whether it is the right one.',
  'host.key_changed': 'The host shows another key than the one that is known.',
  'host.unknown_outcome': 'The host was asked and did not answer to the end: it may have been done, or not.',
  'host.output_too_large': 'A command on the host wrote more than is taken.',
  'host.command_failed': 'A command on the host failed.',
  'host.file_not_found': 'No such file on the host.',
  'host.file_denied': 'The host does not allow this with the file.',
  'host.file_failed': 'The host could not do this with the file.',
  'host.disk_full': 'The file system of the host is full, or the quota there is used up.',
  'host.outside': 'The path is outside the directories that may be removed.',
  'image.invalid': 'The text is not an image reference.',
  'image.not_found': 'The registry does not have the image.',
  'image.denied': 'The registry refuses the image with the credentials it was given.',
  'image.forbidden': 'The tenant may not use the image: the configuration leaves it out.',
  'image.registry_unavailable': 'The registry does not answer.',
  'storage.unavailable': 'Redis does not answer.',
  'storage.foreign': 'The store belongs to another installation or was written by a newer version.',
  'storage.weak': 'Redis does not write each command to disk before it answers.',
  'history.unavailable': 'The history does not answer; what is alive goes on.',
  'blob.unavailable': 'The blob directory cannot be written or read.',
  'ids.no_lease': 'This process holds no process number, so it may not make ids.',
  'service.draining': 'The service is stopping and takes no new messages.',
  'service.unreachable': 'The client cannot reach the service.',
  'service.refused': 'The service answered a request of the client with an error.',
  'service.locked': 'Another process holds the data directory.',
  'config.invalid': 'The configuration has mistakes; all of them are listed.',
} as const;

export type ErrorCode = keyof typeof errorCodes;

export interface ErrorOptions {
  readonly cause?: unknown;
  readonly retryable?: boolean;
  /** What would help, where somebody can do something: the next step of whatever waits because of it. */
  readonly next?: string;
  /** When that is, where it is known. */
  readonly retryAfterSeconds?: number;
}

/** Base of all our errors; never thrown itself. */
export abstract class ServiceError extends Error {
  readonly code: ErrorCode;
  /** The same call may succeed later without a change by the caller. */
  readonly retryable: boolean;
  readonly next: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = new.target.name;
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.next = options.next;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** The request can never succeed as it is. */
export class InvalidError extends ServiceError {}
export class UnauthenticatedError extends ServiceError {}
/** Known, and not allowed. */
export class ForbiddenError extends ServiceError {}
/** Not there, or not for the caller to see. */
export class NotFoundError extends ServiceError {}
/** Right now not: wrong state, name taken. */
export class ConflictError extends ServiceError {}
/** A limit of ours or of a scheduler; may pass. */
export class QuotaError extends ServiceError {
  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(code, message, { retryable: true, ...options });
  }
}
/** A launcher's backend said no or nonsense. Nothing was started. */
export class LauncherError extends ServiceError {}
/** It was asked for and may have been done: only a look can tell. Never treated as a failure. */
export class UnknownOutcomeError extends ServiceError {}
/** Something we stand on cannot be reached; may pass. */
export class UnavailableError extends ServiceError {
  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(code, message, { retryable: true, ...options });
  }
}

/** Whether the same call may succeed later, without a change by whoever asked for it. */
export function mayPass(error: Error): boolean {
  return error instanceof UnknownOutcomeError || (error instanceof ServiceError && error.retryable);
}

/** One mistake in the configuration, with its place. */
export interface ConfigProblem {
  /** Dotted path of the setting. */
  readonly path: string;
  /** File and line, or the environment variable. */
  readonly where: string;
  readonly message: string;
}

/** Before start; lists every problem at once. The process ends with exit code 78 (EX_CONFIG). */
export class ConfigError extends ServiceError {
  readonly problems: readonly ConfigProblem[];
  constructor(problems: readonly ConfigProblem[]) {
    super('config.invalid', problems.map((p) => `${p.where}: ${p.message}`).join('\n'));
    this.problems = problems;
  }
}

/** Makes an `Error` of whatever was thrown, so that a catch site can rely on `message` and `stack`. */
export function asError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  return new Error(typeof thrown === 'string' ? thrown : `Something that is no error was thrown: ${String(thrown)}`);
}
