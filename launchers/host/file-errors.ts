/** What the system says of a file, as our errors. */

import {
  asError,
  ForbiddenError,
  LauncherError,
  NotFoundError,
  QuotaError,
  ServiceError,
  UnknownOutcomeError,
} from '../../src/errors.ts';
import { codeOf } from '../../src/lib/durable-file.ts';

export async function withFileErrors<T>(host: string, path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (thrown) {
    throw fileError(host, path, codeOf(thrown), thrown);
  }
}

/** Where a regular file was wanted. */
export function noRegularFile(host: string, path: string): NotFoundError {
  return new NotFoundError('host.file_not_found', `File "${path}" on ${host} is not there, or is no regular file`);
}

export function changeCutOff(host: string, path: string, cause: Error): UnknownOutcomeError {
  const message = `Change of "${path}" on ${host} was cut off: ${cause.message}; whether it was made is not known`;
  return new UnknownOutcomeError('host.unknown_outcome', message, { cause });
}

export function fileError(host: string, path: string, code: string | undefined, thrown: unknown): ServiceError {
  if (thrown instanceof ServiceError) return thrown;
  const options = { cause: thrown };
  const file = `File "${path}" on ${host}`;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new NotFoundError('host.file_not_found', `${file} is not there`, options);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new ForbiddenError('host.file_denied', `${file} is not ours to use so: ${code}`, options);
    case 'ENOSPC':
    case 'EDQUOT':
      return new QuotaError('host.disk_full', `${file} cannot be written: the disk or the quota is full`, options);
    default:
      return new LauncherError('host.file_failed', `${file}: ${code ?? asError(thrown).message}`, options);
  }
}
