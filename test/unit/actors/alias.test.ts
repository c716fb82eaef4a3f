import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aliasProblem } from '../../../src/actors/alias.ts';

describe('an alias', () => {
  it.each(['counter', 'my-actor', 'my_actor.v2', 'jane', 'logs2', 'Ünïcode', '~x', 'admin-tool'])(
    'may be %s',
    (alias) => {
      expect(aliasProblem(alias)).toBeUndefined();
    },
  );

  it.each(['Rr', 'NolBaJ5y6714M', 'executions', 'admin', 'search', 'v2', 'a b', 'a/b', 'a%2fb', 'a\n', '', '.', '..'])(
    'may not be %j',
    (alias) => {
      expect(aliasProblem(alias)).toMatch(/^Alias cannot /);
    },
  );

  it('is short enough for a path', () => {
    expect(aliasProblem('z-'.repeat(200))).toMatch(/longer than 255/);
  });

  it('that is taken stands in a path as one segment, which says the same', () => {
    fc.assert(
      fc.property(fc.string(), (alias) => {
        if (aliasProblem(alias) !== undefined) return;
        expect(decodeURIComponent(encodeURIComponent(alias))).toBe(alias);
        expect(alias).not.toMatch(/[/?#\s]/);
      }),
    );
  });
});
