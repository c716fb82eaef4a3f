import { describe, expect, it } from 'vitest';
import { unknownActor } from '../../../src/api/find-actor.ts';

const user = { roles: ['Internal/everyone'], tenant: 'T' };
const admin = { roles: ['Internal/abaco-admin'], tenant: 'T' };

describe('an actor that is not there', () => {
  it('is told to administrators as such, and to others with its tenant', () => {
    expect(unknownActor(user, 'read', 'X')).toMatchObject({
      code: 'actor.unknown',
      message: 'Actor T_X does not exist',
    });
    const told = { code: 'actor.not_found', message: 'No actor found with identifier: X.' };
    expect(unknownActor(admin, 'read', 'X')).toMatchObject(told);
    expect(unknownActor(admin, 'execute', 'X')).toMatchObject({ message: 'No actor found with id: X.' });
  });
});
