import { describe, expect, it } from 'vitest';
import { LauncherError, QuotaError, UnavailableError } from '../../../src/errors.ts';
import { waitFor } from '../../../src/workers/wait-for.ts';

const since = new Date(0);

describe('the wait that trouble makes', () => {
  it('says what somebody can do, where the trouble knows it', () => {
    const error = new UnavailableError('host.needs_login', 'Host x needs a login', { next: 'Type "…"' });
    expect(waitFor(error, { since, next: 'It comes back' })).toEqual({
      cause: 'Host x needs a login',
      since,
      owner: 'operator',
      next: 'Type "…"',
    });
  });

  it('says else what happens by itself', () => {
    const error = new UnavailableError('host.unavailable', 'away');
    expect(waitFor(error, { next: 'It comes back' }).next).toBe('It comes back');
    expect(waitFor(error).next).toBe('It is tried again by itself');
    expect(waitFor(new LauncherError('launcher.rejected', 'no')).next).toContain('has to be mended');
    expect(waitFor(new Error('what is this')).next).toContain('has to be mended');
  });

  it.each([
    ['registry', new UnavailableError('image.registry_unavailable', 'away')],
    ['user', new QuotaError('host.disk_full', 'full')],
    ['operator', new UnavailableError('host.unavailable', 'away')],
    ['operator', new Error('what is this')],
  ])('is the turn of the %s', (owner, error) => {
    expect(waitFor(error).owner).toBe(owner);
  });
});
