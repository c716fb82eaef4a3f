import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkImagePolicy, matchesPattern } from '../../../src/launcher/image-policy.ts';
import { parseImageSource, placeOf } from '../../../src/launcher/image-source.ts';

describe('where an image comes from', () => {
  it.each([
    ['debian', 'registry', 'docker.io/library/debian'],
    ['docker://debian:trixie', 'registry', 'docker.io/library/debian'],
    ['r.org:5000/a/b:1', 'registry', 'r.org:5000/a/b'],
    ['oras://r.org/a:1', 'oras', 'oras://r.org/a'],
    ['docker-daemon:word-count:1', 'engine', 'docker-daemon:word-count'],
    ['/lustre/alice/a b.sif', 'file', '/lustre/alice/a b.sif'],
  ] as const)('of %j is a matter of its beginning', (text, kind, place) => {
    const source = parseImageSource(text);
    expect(source.kind).toBe(kind);
    expect(placeOf(source)).toBe(place);
  });

  it.each([
    '/lustre/x.img',
    '/lustre/../etc/x.sif',
    '/lustre//x.sif',
    '/a\nFrom: b.sif',
    'oras://',
    'http://x/y',
    'docker-daemon:A',
    '',
  ])('is not said by %j', (text) => {
    expect(() => parseImageSource(text)).toThrow(expect.objectContaining({ code: 'image.invalid' }));
  });
});

describe('a pattern of images', () => {
  it.each([
    ['docker.io/library/*', 'docker.io/library/debian', true],
    ['docker.io/*', 'docker.io/library/debian', false],
    ['docker.io/**', 'docker.io/library/debian', true],
    ['**/debian', 'docker.io/library/debian', true],
    ['r.org/a', 'rxorg/a', false],
    ['/lustre/?.sif', '/lustre/a.sif', true],
  ])('%j and %j: %s', (pattern, place, matches) => {
    expect(matchesPattern(place, pattern)).toBe(matches);
  });

  it('without stars is itself and nothing else', () => {
    const plain = fc.string().filter((text) => !/[*?]/.test(text));
    fc.assert(
      fc.property(plain, plain, (one, other) => {
        expect(matchesPattern(one, other)).toBe(one === other);
      }),
      { numRuns: 200 },
    );
  });
});

describe('the images a tenant may use', () => {
  const policy = { imagesAllow: ['r.org/**'], imagesDeny: ['**/evil'] };

  it('are those allowed and not denied', () => {
    expect(() => checkImagePolicy('T', 'r.org/a:1', policy)).not.toThrow();
    expect(() => checkImagePolicy('T', 'debian', policy)).toThrow(/none of those it allows: r\.org\/\*\*/);
    expect(() => checkImagePolicy('T', 'r.org/x/evil@sha256:' + '0'.repeat(64), policy)).toThrow(
      /among those it denies/,
    );
  });

  it('are all where nothing is said', () => {
    expect(() => checkImagePolicy('T', 'debian', undefined)).not.toThrow();
    expect(() => checkImagePolicy('T', 'debian', { imagesAllow: [], imagesDeny: [] })).not.toThrow();
  });
});
