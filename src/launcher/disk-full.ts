import { UnavailableError } from '../errors.ts';

/** What a failure to write means: where no space is left, trouble that may pass. @param what - as "Run directory "/x"". */
export function writeFailure(error: unknown, what: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  const help = 'free some there';
  return new UnavailableError('launcher.disk_full', `${what} was not written: no space is left; ${help}`, {
    cause: error,
  });
}
