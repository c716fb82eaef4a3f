/**
 * Where an image comes from, as users write it. Reading a name touches nothing.
 *
 *     debian:trixie-slim, docker://debian:trixie-slim     an image of a registry
 *     oras://registry.example.org/tools/align:2           a SIF that a registry keeps
 *     docker-daemon:word-count:1                          an image that only the engine beside the service has
 *     /lustre/alice/align.sif                             a SIF on the file system of the cluster
 */

import { InvalidError } from '../errors.ts';
import { type ImageName, parseImageName, registryOf } from './image-name.ts';

export const imageSourceKinds = ['registry', 'oras', 'engine', 'file'] as const;
export type ImageSourceKind = (typeof imageSourceKinds)[number];

export type ImageSource =
  | { readonly kind: Exclude<ImageSourceKind, 'file'>; readonly name: ImageName }
  | { readonly kind: 'file'; readonly path: string };

const prefixes = { 'docker://': 'registry', 'oras://': 'oras', 'docker-daemon:': 'engine' } as const;

/** As long as Linux takes a path. */
const maxPathLength = 4_095;

/** Throws `InvalidError` (`image.invalid`) with what is wrong and what would help. */
export function parseImageSource(text: string): ImageSource {
  if (text.startsWith('/')) return { kind: 'file', path: checkPath(text) };
  for (const [prefix, kind] of Object.entries(prefixes)) {
    if (text.startsWith(prefix)) return { kind, name: parseImageName(text.slice(prefix.length)) };
  }
  return { kind: 'registry', name: parseImageName(text) };
}

/** What patterns of a site are matched with: with its registry, and without tag and digest. */
export function placeOf(source: ImageSource): string {
  if (source.kind === 'file') return source.path;
  const { repository } = source.name;
  const registry = registryOf(source.name);
  if (source.kind === 'engine')
    return `docker-daemon:${source.name.registry === undefined ? '' : `${registry}/`}${repository}`;
  const folder = registry === 'docker.io' && !repository.includes('/') ? 'library/' : '';
  return `${source.kind === 'oras' ? 'oras://' : ''}${registry}/${folder}${repository}`;
}

/** Hosts that are one registry. */
const hubHosts: readonly string[] = ['docker.io', 'index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com'];

/**
 * What `placeOf` says, and what else leads to the same, in small letters where case means nothing: a pattern that denies
 * one of them denies the image. A SIF of a registry is also one of its images; an image of an engine is none.
 */
export function spellingsOf(source: ImageSource): readonly string[] {
  if (source.kind === 'file') return [source.path];
  const { repository } = source.name;
  const host = canonicalHost(registryOf(source.name));
  const isHub = hubHosts.includes(host);
  const folder = isHub && !repository.includes('/') ? 'library/' : '';
  const places = (isHub ? hubHosts : [host]).map((one) => `${one}/${folder}${repository}`);
  // An engine's own images are written without a registry, and without the folder that it adds.
  if (source.kind === 'engine' && isHub) places.push(folder + repository, repository.replace(/^library\//, ''));
  const beginnings = { registry: [''], oras: ['', 'oras://'], engine: ['docker-daemon:'] }[source.kind];
  const others = beginnings.flatMap((beginning) => places.map((place) => beginning + place));
  return [placeOf(source).toLowerCase(), ...others];
}

/** As it is called in the end: in small letters, an address in its usual form, without the port that is understood. */
function canonicalHost(host: string): string {
  const url = `https://${host}`;
  return URL.canParse(url) ? new URL(url).host : host.toLowerCase();
}

function checkPath(path: string): string {
  const problem = problemOfPath(path);
  if (problem === undefined) return path;
  const help = 'give the absolute path of a .sif file, as in "/lustre/tools/align.sif"';
  throw new InvalidError(
    'image.invalid',
    `Image ${JSON.stringify(path.slice(0, 120))} is not an image: ${problem}; ${help}`,
  );
}

function problemOfPath(path: string): string | undefined {
  if (!path.endsWith('.sif')) return 'a path has to end with ".sif"';
  if (path.length > maxPathLength) return `it is longer than ${maxPathLength} characters`;
  // What a reader of definitions, or of a list, would take for something else.
  if (/\p{Cc}/u.test(path)) return 'it holds a control character';
  const parts = path.split('/').slice(1);
  return parts.some((part) => part === '..' || part === '.' || part === '')
    ? 'it has a part that leads elsewhere'
    : undefined;
}
