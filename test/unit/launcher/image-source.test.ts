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

describe('the images a tenant is denied', () => {
  const isDenied = (image: string, ...imagesDeny: readonly string[]): boolean => {
    try {
      checkImagePolicy('T', image, { imagesAllow: [], imagesDeny });
      return false;
    } catch {
      return true;
    }
  };

  it.each([
    ['docker.io/evil/**', ['evil/x', 'index.docker.io/evil/x', 'registry-1.docker.io/evil/x', 'Docker.IO:443/evil/x']],
    ['docker.io/library/debian', ['debian', 'index.docker.io/debian', 'docker.io:443/library/debian']],
    ['index.docker.io/evil/**', ['evil/x', 'docker.io/evil/x', 'registry-1.docker.io:0443/evil/x']],
    [
      'registry.example.org/**',
      ['Registry.example.org/x', 'registry.example.org:443/x', 'registry.example.org:0443/x'],
    ],
    ['registry.example.org/x', ['oras://registry.example.org/x:1', 'docker://Registry.Example.org:443/x:1']],
    ['Registry.example.org:443/**', ['registry.example.org/x', 'oras://registry.example.org/x']],
    ['oras://registry.example.org:443/**', ['oras://registry.example.org/x']],
    ['*:*/**', ['registry.example.org:443/x', 'registry.example.org:5000/x']],
    ['docker://registry.example.org/**', ['registry.example.org/x', 'docker://registry.example.org/x']],
    ['registry.example.org:5000/**', ['registry.example.org:05000/x']],
    ['127.0.0.1:5000/**', ['127.1:5000/x', '0x7f.1:5000/x']],
    ['docker-daemon:evil/**', ['docker-daemon:evil/x', 'docker-daemon:docker.io/evil/x']],
    ['docker-daemon:debian', ['docker-daemon:docker.io/library/debian:1', 'docker-daemon:library/debian']],
    ['/lustre/Tools/*.sif', ['/lustre/Tools/x.sif']],
  ])('by %j are %j', (pattern, images) => {
    for (const image of images) expect(isDenied(image, pattern), image).toBe(true);
  });

  it.each([
    ['oras://**', ['registry.example.org/x', 'docker://registry.example.org/x']],
    ['docker://**', ['oras://registry.example.org/x']],
    ['docker.io/**', ['docker-daemon:word-count', 'registry.docker.io.example.org/x']],
    ['registry.example.org/**', ['registry.example.org:5000/x', 'docker-daemon:registry.example.org/x']],
    ['docker.io/*', ['debian']],
    ['*:*/**', ['registry.example.org/x', 'debian']],
    ['/lustre/tools/*.sif', ['/lustre/Tools/x.sif']],
  ])('by %j are not %j', (pattern, images) => {
    for (const image of images) expect(isDenied(image, pattern), image).toBe(false);
  });

  const label = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
  const host = fc.tuple(label, label).map((labels) => labels.join('.'));
  const spelled = fc.record({
    beginning: fc.constantFrom('', 'docker://', 'oras://'),
    capitals: fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }),
    port: fc.constantFrom('', ':443', ':0443'),
    end: fc.constantFrom('', ':1', `@sha256:${'0'.repeat(64)}`),
  });

  it('are the same however they are written', () => {
    fc.assert(
      fc.property(host, label, spelled, (registry, repository, { beginning, capitals, port, end }) => {
        const raise = (one: string, index: number) => (capitals[index] === true ? one.toUpperCase() : one);
        const written = registry.replaceAll(/./g, raise);
        expect(isDenied(`${beginning}${written}${port}/${repository}${end}`, `${registry}/${repository}`)).toBe(true);
        expect(isDenied(`${beginning}${written}${port}/${repository}${end}`, `x${registry}/${repository}`)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it('are at least those whose name, as it is written, matches', () => {
    const piece = fc.constantFrom('*', '**', '?', 'R.org', 'r.org', ':443', ':5000', '127.1', '/', 'x', 'oras://');
    const pattern = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join(''));
    const image = fc.constantFrom('r.org/x', 'R.org:443/x', 'oras://r.org:5000/x', '127.1:443/x/x', 'x', 'oras://x/x');
    fc.assert(
      fc.property(pattern, image, (said, written) => {
        fc.pre(matchesPattern(placeOf(parseImageSource(written)), said));
        expect(isDenied(written, said)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('may be those allowed by another spelling, which allows no more than is written', () => {
    const allowed = { imagesAllow: ['docker.io/library/*', 'r.org/**'], imagesDeny: [] };
    for (const image of ['index.docker.io/library/debian', 'oras://r.org/x', 'r.org:443/x', 'R.org/x'])
      expect(() => checkImagePolicy('T', image, allowed), image).toThrow(/none of those it allows/);
  });
});
