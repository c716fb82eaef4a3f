import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fillPath, wordsIn } from '../../../src/lib/path-template.ts';

const words = { username: { name: 'jane' }, tenant: { name: 'LAB' }, home: { path: '/home/jane' } };

/** Text in which what leads elsewhere is frequent. */
const hostile = fc.array(fc.constantFrom('/', '.', '..', '\0', 'a', '{username}', ' ', '\n', '\\', '$', 'ä'), {
  maxLength: 8,
});
const text = fc.oneof(
  hostile.map((parts) => parts.join('')),
  fc.string(),
  fc.string({ minLength: 200, maxLength: 300 }),
);

describe('a path with words in it', () => {
  it.each([
    ['/srv/{tenant}/{username}', '/srv/LAB/jane'],
    ['/srv/{tenant}-{username}.d', '/srv/LAB-jane.d'],
    ['{home}', '/home/jane'],
    ['{home}/data', '/home/jane/data'],
    ['/lustre{home}', '/lustre/home/jane'],
    ['/lustre/{home}', '/lustre/home/jane'],
    ['/data', '/data'],
  ])('is filled: %s', (template, path) => {
    expect(fillPath(template, words)).toBe(path);
  });

  it.each([
    ['/srv/{user}', '{user} is none of {username}, {tenant}, {home}'],
    ['/srv/{toString}', '{toString} is none of'],
    ['srv/{username}', 'does not begin at the root'],
    ['/srv/../{username}', 'has a part that leads elsewhere'],
    ['/srv//{username}', 'has a part that is empty'],
    ['/srv/', 'has a part that is empty'],
    ['/', 'is all there is'],
  ])('is refused where it is none: %s', (template, reason) => {
    expect(() => fillPath(template, words)).toThrow(reason);
  });

  it('never leads out of what stands before a word, whatever the word is given', () => {
    fc.assert(
      fc.property(text, text, (name, path) => {
        const given = { username: { name }, home: { path } };
        for (const [template, parts] of [
          ['/srv/{username}', 2],
          ['/srv/x{username}/data', 3],
          ['/srv/{home}', undefined],
          ['/srv{home}', undefined],
        ] as const) {
          const filled = fillOrRefuse(template, given);
          if (filled === undefined) continue;
          const names = filled.split('/');
          expect(filled.startsWith('/srv/')).toBe(true);
          expect(names.slice(1).filter((each) => each === '' || each === '.' || each === '..')).toEqual([]);
          expect(filled).not.toContain('\0');
          if (parts !== undefined) expect(names).toHaveLength(parts + 1);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('takes every name that Linux does', () => {
    fc.assert(
      fc.property(text, (name) => {
        const isName =
          name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name) && Buffer.byteLength(name) <= 255;
        expect(fillOrRefuse('/srv/{username}', { username: { name } })).toBe(isName ? `/srv/${name}` : undefined);
      }),
      { numRuns: 300 },
    );
  });

  it('says which words it asks for', () => {
    expect(wordsIn('/{tenant}/{username}/{tenant}')).toEqual(['tenant', 'username']);
    expect(wordsIn('/data')).toEqual([]);
  });
});

function fillOrRefuse(...given: Parameters<typeof fillPath>): string | undefined {
  try {
    return fillPath(...given);
  } catch (thrown) {
    if (thrown instanceof RangeError) return undefined;
    throw thrown;
  }
}
