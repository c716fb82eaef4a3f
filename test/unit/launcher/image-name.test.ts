import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidError } from '../../../src/errors.ts';
import {
  type ImageName,
  isSameRepository,
  parseImageName,
  registryOf,
  renderImageName,
} from '../../../src/launcher/image-name.ts';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

describe('the name of an image', () => {
  it.each<[string, ImageName]>([
    ['debian', { repository: 'debian' }],
    ['debian:trixie-slim', { repository: 'debian', tag: 'trixie-slim' }],
    ['tacc/word-count:1.2', { repository: 'tacc/word-count', tag: '1.2' }],
    ['ghcr.io/tacc/a/b', { registry: 'ghcr.io', repository: 'tacc/a/b' }],
    ['localhost/thing', { registry: 'localhost', repository: 'thing' }],
    ['127.0.0.1:5000/thing:V1_x', { registry: '127.0.0.1:5000', repository: 'thing', tag: 'V1_x' }],
    ['[::1]:5000/thing', { registry: '[::1]:5000', repository: 'thing' }],
    ['Registry/thing', { registry: 'Registry', repository: 'thing' }],
    [`debian@${digest}`, { repository: 'debian', digest }],
    [`host:5000/a__b/c-d.e:t@${digest}`, { registry: 'host:5000', repository: 'a__b/c-d.e', tag: 't', digest }],
  ])('reads %s', (text, expected) => {
    expect(parseImageName(text)).toEqual(expected);
  });

  it.each<[string, string]>([
    ['', 'it is empty'],
    ['two words', 'white space'],
    ['line\nbreak', 'white space'],
    ['nul\0byte', 'control character'],
    ['docker://debian', 'it starts with "docker://"'],
    ['https://ghcr.io/a/b', 'it starts with "https://"'],
    ['Debian', 'capital letters'],
    ['tacc//word', 'empty part'],
    ['/debian', 'empty part'],
    ['debian/', 'empty part'],
    ['../../etc/passwd', 'is not a host'],
    ['a/../b', 'may hold only'],
    ['naïve', 'may hold only'],
    ['debian:', 'no tag follows'],
    ['debian:-x', 'the tag "-x"'],
    [`debian:${'x'.repeat(129)}`, 'longer than 128'],
    ['debian@sha256:1234', 'the digest "sha256:1234"'],
    [`debian@${digest}@${digest}`, 'the digest'],
    ['ho_st.org/thing', 'is not a host'],
    ['ghcr.io/', 'nothing stands where'],
    [digest.slice('sha256:'.length), 'image id'],
    ['a'.repeat(256), 'longer than 255'],
  ])('refuses %j and says why', (text, why) => {
    const parse = () => parseImageName(text);
    expect(parse).toThrow(InvalidError);
    expect(parse).toThrow(why);
    expect(parse).toThrow('as in "tacc/word-count:1.2"');
  });

  it('is read back from what was written', () => {
    fc.assert(
      fc.property(imageNames(), (name) => {
        expect(parseImageName(renderImageName(name))).toEqual(name);
      }),
    );
  });

  it('is refused with one line of bounded length, or written back unchanged, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string(), pieces()), (text) => {
        try {
          expect(renderImageName(parseImageName(text))).toBe(text);
        } catch (error) {
          expect(error).toMatchObject({ code: 'image.invalid' });
          expect((error as Error).message).not.toContain('\n');
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['debian', 'docker.io/library/debian:12', true],
    ['tacc/a', 'docker.io/tacc/a', true],
    ['tacc/a', 'ghcr.io/tacc/a', false],
    ['debian', 'debian-slim', false],
  ])('of %s and %s means the same repository: %s', (one, other, same) => {
    expect(isSameRepository(parseImageName(one), parseImageName(other))).toBe(same);
  });

  it('without a registry means Docker Hub', () => {
    expect(registryOf(parseImageName('debian'))).toBe('docker.io');
  });
});

function imageNames(): fc.Arbitrary<ImageName> {
  const part = fc.stringMatching(/^[a-z0-9]{1,8}((\.|_|__|-{1,2})[a-z0-9]{1,4}){0,2}$/);
  const repository = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
  const registry = fc.constantFrom('localhost', 'ghcr.io', '127.0.0.1:5000', 'a.b-c.org:80', '[::1]:5000', 'Upper');
  const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/);
  return fc
    .record({ registry, repository, tag, digest: fc.constant(digest) }, { requiredKeys: ['repository'] })
    .filter((name) => name.registry !== undefined || !/^localhost\/|^[^/]*\.[^/]*\//.test(name.repository));
}

/** Texts that are nearly names. */
function pieces(): fc.Arbitrary<string> {
  const piece = fc.constantFrom(
    'a',
    'B',
    '/',
    ':',
    '@',
    '.',
    '-',
    '_',
    '5000',
    'localhost',
    digest,
    ' ',
    '[',
    ']',
    'é',
  );
  return fc.array(piece, { maxLength: 8 }).map((parts) => parts.join(''));
}
