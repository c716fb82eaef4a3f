/**
 * Names of images as users write them: `[registry/]path[:tag][@digest]`, the grammar of the OCI distribution
 * specification as Docker reads it. Reading a name touches no registry.
 */

import { InvalidError } from '../errors.ts';
import { optional } from '../lib/optional.ts';

export interface ImageName {
  /** Host, with its port where one was given; nothing given is Docker Hub. */
  readonly registry?: string;
  /** Path within the registry: "debian", "tacc/word-count". */
  readonly repository: string;
  readonly tag?: string;
  /** `sha256:…` or `sha512:…`. */
  readonly digest?: string;
}

/** The registry and the folder an image name means that names none. */
const hubRegistry = 'docker.io';
const hubFolder = 'library/';

/** More than this, name and registry together, is refused by every registry. */
const maxNameLength = 255;

const component = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const registryHost =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?$/;
const tagText = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const digestText = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** Throws `InvalidError` (`image.invalid`) with what is wrong and what would help. */
export function parseImageName(text: string): ImageName {
  const [beforeDigest, ...digests] = text.split('@') as [string, ...string[]];
  const digest = digests.length === 0 ? undefined : digests.join('@');
  const slash = beforeDigest.lastIndexOf('/');
  const colon = beforeDigest.indexOf(':', slash + 1);
  const path = colon < 0 ? beforeDigest : beforeDigest.slice(0, colon);
  const tag = colon < 0 ? undefined : beforeDigest.slice(colon + 1);
  const { registry, repository } = splitRegistry(path);
  const problem = problemOf({ text, path, registry, repository, tag, digest });
  if (problem !== undefined) throw invalid(text, problem);
  return { ...optional('registry', registry), repository, ...optional('tag', tag), ...optional('digest', digest) };
}

/** Writes a name so that `parseImageName` reads the same. */
export function renderImageName({ registry, repository, tag, digest }: ImageName): string {
  const path = registry === undefined ? repository : `${registry}/${repository}`;
  return `${path}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

/** The registry an image comes from, as the keys of a table of credentials name it. */
export function registryOf(name: ImageName): string {
  return name.registry ?? hubRegistry;
}

/** Whether two names mean the same repository: "debian" is "docker.io/library/debian". */
export function isSameRepository(one: ImageName, other: ImageName): boolean {
  return registryOf(one) === registryOf(other) && fullRepository(one) === fullRepository(other);
}

export function isDigest(text: string): boolean {
  return digestText.test(text);
}

function fullRepository(name: ImageName): string {
  return registryOf(name) === hubRegistry && !name.repository.includes('/')
    ? hubFolder + name.repository
    : name.repository;
}

/** The first component is a host when it cannot be a folder of Docker Hub: a dot, a port, "localhost", capitals. */
function splitRegistry(path: string): { registry: string | undefined; repository: string } {
  const slash = path.indexOf('/');
  const first = path.slice(0, Math.max(slash, 0));
  const isHost = slash > 0 && (/[.:A-Z]/.test(first) || first === 'localhost');
  return isHost ? { registry: first, repository: path.slice(slash + 1) } : { registry: undefined, repository: path };
}

interface Parts {
  readonly text: string;
  readonly path: string;
  readonly registry: string | undefined;
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

function problemOf({ text, path, registry, repository, tag, digest }: Parts): string | undefined {
  const scheme = /^[A-Za-z][A-Za-z0-9+-]*:\/\//.exec(text)?.[0];
  if (text === '') return 'it is empty';
  if (/[\s\p{Cc}]/u.test(text)) return 'it holds white space or a control character';
  if (scheme !== undefined) return `it starts with "${scheme}"; leave that away`;
  if (path.length > maxNameLength) return `its name is longer than ${maxNameLength} characters`;
  if (registry !== undefined && !registryHost.test(registry))
    return `"${registry}" is not a host with or without a port`;
  return problemOfRepository(repository) ?? problemOfTag(tag) ?? problemOfDigest(digest);
}

function problemOfRepository(repository: string): string | undefined {
  if (repository === '') return 'nothing stands where the name of the image belongs';
  if (/^[0-9a-f]{64}$/.test(repository)) return 'it is an image id; give it after "sha256:" behind a name and "@"';
  const wrong = repository.split('/').find((part) => !component.test(part));
  if (wrong === undefined) return undefined;
  if (wrong === '') return 'it has an empty part between two "/"';
  if (component.test(wrong.toLowerCase())) return `"${wrong}" has capital letters; names of images have none`;
  return `"${wrong}" may hold only small letters and digits with single ".", "_", "__" or "-" between them`;
}

function problemOfTag(tag: string | undefined): string | undefined {
  if (tag === undefined || tagText.test(tag)) return undefined;
  if (tag === '') return 'no tag follows the ":"';
  if (tag.length > 128) return 'its tag is longer than 128 characters';
  return `the tag "${tag}" may hold only letters, digits, ".", "_" and "-", and starts with neither "." nor "-"`;
}

function problemOfDigest(digest: string | undefined): string | undefined {
  if (digest === undefined || digestText.test(digest)) return undefined;
  return `the digest "${digest}" is not "sha256:" and 64 hexadecimal digits`;
}

/** So that a message stays a line, whatever was given. */
const maxShownLength = 120;

function invalid(text: string, problem: string): InvalidError {
  const shown = text.length > maxShownLength ? `${text.slice(0, maxShownLength)}…` : text;
  const help = 'write it as [registry/]name[:tag][@sha256:…], as in "tacc/word-count:1.2"';
  return new InvalidError(
    'image.invalid',
    `Image ${JSON.stringify(shown)} is not an image reference: ${problem}; ${help}`,
  );
}
