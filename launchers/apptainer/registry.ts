/**
 * The digest of the image behind a name (OCI distribution specification). A registry is anybody's, and the images of all
 * lie in one cache: what it sends is what is believed, never what it says of that. A manifest's digest is the SHA-256 of
 * its bytes; one that was asked for by its digest has to have it.
 */

import { createHash } from 'node:crypto';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { asError, ForbiddenError, LauncherError, UnavailableError } from '../../src/errors.ts';
import type { ImageName } from '../../src/launcher/image-name.ts';
import type { RegistryAccess } from '../../src/launcher/launcher.ts';
import { PrivateAddressError } from '../../src/lib/look-up.ts';
import { callRegistry, isOfRegistry, type WholeAnswer } from './registry-calls.ts';

export interface AskOptions {
  /** As the user wrote it, for messages. */
  readonly shown: string;
  readonly access: RegistryAccess | undefined;
  /** Whose credentials were looked for, for the message that says which are missing. */
  readonly tenant: string | undefined;
  /** As OCI names it: "amd64". */
  readonly architecture: string;
  /** Whether it is to be a SIF (`apptainer push`); else an image of layers. No manifest is both. */
  readonly isSif: boolean;
  readonly signal: AbortSignal;
}

/** What a name without a registry means. */
const hub = { name: 'docker.io', api: 'registry-1.docker.io', folder: 'library/' } as const;

const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

/** How Apptainer calls the one layer of a SIF it has pushed. */
const sifLayer = 'application/vnd.sylabs.sif.layer.v1.sif';

const descriptor = Type.Object({
  digest: Type.String(),
  mediaType: Type.Optional(Type.String()),
  platform: Type.Optional(
    Type.Object({ architecture: Type.Optional(Type.String()), os: Type.Optional(Type.String()) }),
  ),
});
/** As much as we read of a manifest, or of an index of them. */
const manifestShape = Type.Object({
  manifests: Type.Optional(Type.Array(descriptor)),
  config: Type.Optional(descriptor),
  layers: Type.Optional(Type.Array(descriptor)),
});
const tokenShape = Type.Object({ token: Type.Optional(Type.String()), access_token: Type.Optional(Type.String()) });

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const mostRedirects = 5;

/** By which a server of tokens says no. */
const refusals: ReadonlySet<number> = new Set([400, 401, 403, 404]);

/** Where a registry keeps it, with the folder that Docker Hub takes for granted. */
export function repositoryOf(image: ImageName): { readonly registry: string; readonly repository: string } {
  const registry = image.registry ?? hub.name;
  const folder = registry === hub.name && !image.repository.includes('/') ? hub.folder : '';
  return { registry, repository: folder + image.repository };
}

/**
 * The digest of the manifest for this platform, which was read. Rejects with `image.not_found`, `image.denied`,
 * `image.forbidden` where it leads to what is not for users to call, or `image.registry_unavailable` when trouble may pass.
 */
export async function resolveDigest(image: ImageName, options: AskOptions): Promise<string> {
  const { shown, architecture, isSif } = options;
  const session = createSession(image, options);
  let found =
    image.digest === undefined ? await session.read(image.tag ?? 'latest') : await session.readPinned(image.digest);
  if (found.manifest.manifests) {
    const ours = found.manifest.manifests.find(
      ({ platform }) => platform?.architecture === architecture && platform.os === 'linux',
    );
    if (!ours) throw notFound(shown, `it is not there for linux/${architecture}`);
    found = await session.readPinned(ours.digest);
  }
  const { config, layers = [] } = found.manifest;
  if (!config) throw notFound(shown, 'its manifest names no configuration');
  const hasSif = layers.some(({ mediaType }) => mediaType === sifLayer);
  if (isSif && !hasSif) throw notFound(shown, 'what is there is no SIF; leave "oras://" away for an image of layers');
  if (!isSif && hasSif) throw notFound(shown, 'what is there is a SIF, no image of layers; name it with "oras://"');
  return found.digest;
}

interface FoundManifest {
  readonly manifest: Type.Static<typeof manifestShape>;
  readonly digest: string;
}

function createSession(image: ImageName, { shown, access, tenant, signal }: AskOptions) {
  const { registry, repository } = repositoryOf(image);
  const scheme = access?.insecure === true ? 'http' : 'https';
  const base = `${scheme}://${registry === hub.name ? hub.api : registry}/v2/${repository}`;
  const basic = access?.username
    ? `Basic ${Buffer.from(`${access.username}:${access.password}`).toString('base64')}`
    : '';
  let authorization = '';

  function unavailable(why: string, thrown?: unknown): UnavailableError {
    return new UnavailableError('image.registry_unavailable', `Registry "${registry}" ${why}`, { cause: thrown });
  }

  async function call(url: URL, headers: Readonly<Record<string, string>>): Promise<WholeAnswer> {
    try {
      return await callRegistry(url, headers, { registry, access, signal });
    } catch (thrown) {
      if (signal.aborted) throw signal.reason;
      if (thrown instanceof PrivateAddressError) throw forbidden(shown, registry, thrown);
      throw unavailable(`does not answer: ${asError(asError(thrown).cause ?? thrown).message}`, thrown);
    }
  }

  /** By hand, as each place is looked at; what opens the registry is for the registry alone. */
  async function follow(start: URL): Promise<WholeAnswer & { readonly url: URL }> {
    let url = start;
    for (let count = 0; count <= mostRedirects; count += 1) {
      const isRegistry = url.origin === start.origin;
      const answer = await call(url, {
        accept: manifestTypes,
        ...(isRegistry && authorization !== '' ? { authorization } : {}),
      });
      const { location } = answer.headers;
      if (!redirects.has(answer.status) || location === undefined) return { ...answer, url };
      url = urlOf(location, url.href);
    }
    throw unavailable('sends from one place to the next without end');
  }

  function urlOf(text: string, from?: string): URL {
    if (URL.canParse(text, from)) return new URL(text, from);
    throw unavailable('has no address that can be called, or sends to one');
  }

  async function get(path: string): Promise<WholeAnswer> {
    const start = urlOf(`${base}/${path}`);
    const first = await follow(start);
    if (first.status !== 401 || authorization !== '' || first.url.origin !== start.origin) return first;
    authorization = await answerChallenge(first.headers['www-authenticate'] ?? '');
    return authorization === '' ? first : await follow(start);
  }

  /** A token for reading this repository, where the registry wants one; else the password itself. */
  async function answerChallenge(challenge: string): Promise<string> {
    if (!/^Bearer /i.test(challenge)) return basic;
    const fields = Object.fromEntries(
      [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]),
    );
    const { realm = '', service = '' } = fields as Readonly<Record<string, string>>;
    const url = urlOf(realm);
    if (basic !== '' && !isOfRegistry(url, registry)) {
      const why = `registry "${registry}" wants its credentials to be sent to "${url.host}", which is not of its domain`;
      throw new LauncherError('image.denied', `Image "${shown}" is not asked for: ${why}`);
    }
    url.searchParams.set('service', service);
    url.searchParams.set('scope', `repository:${repository}:pull`);
    const answer = await call(url, basic === '' ? {} : { authorization: basic });
    if (refusals.has(answer.status)) return '';
    // A server of tokens in trouble says nothing about who may read.
    if (answer.status !== 200) throw unavailable(`is opened by "${url.host}", which answers ${answer.status}`);
    const said = parseJson(answer.body);
    if (!Value.Check(tokenShape, said)) throw unavailable(`is opened by "${url.host}", which answers with no token`);
    return `Bearer ${said.token ?? said.access_token ?? ''}`;
  }

  async function read(reference: string): Promise<FoundManifest> {
    const { status, body } = await get(`manifests/${reference}`);
    if (status === 401 || status === 403) throw denied(shown, registry, access, tenant);
    if (status === 404) throw notFound(shown, `registry "${registry}" does not have it`);
    if (status !== 200) throw unavailable(`answers ${status} for image "${shown}"`);
    const manifest = parseJson(body);
    if (!Value.Check(manifestShape, manifest))
      throw unavailable(`answers for image "${shown}" with what is no manifest`);
    return { manifest, digest: `sha256:${createHash('sha256').update(body).digest('hex')}` };
  }

  return {
    read,
    async readPinned(digest: string): Promise<FoundManifest> {
      if (!/^sha256:[0-9a-f]{64}$/.test(digest)) throw notFound(shown, 'its digest is none of SHA-256');
      const found = await read(digest);
      if (found.digest === digest) return found;
      throw notFound(shown, `registry "${registry}" answers with another manifest than that of the digest ${digest}`);
    },
  };
}

/** Nothing where it is none: what a server says is not for the messages of others. */
function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

function notFound(name: string, why: string): LauncherError {
  return new LauncherError('image.not_found', `Image "${name}" is not there: ${why}`);
}

function forbidden(name: string, registry: string, thrown: PrivateAddressError): ForbiddenError {
  const help = `a registry that may be called there is named in the configuration, as [registries."${registry}"]`;
  const message = `Image "${name}" is not asked for: its registry leads to where users may not send us, ${thrown.message}; ${help}`;
  return new ForbiddenError('image.forbidden', message);
}

function denied(
  name: string,
  registry: string,
  access: RegistryAccess | undefined,
  tenant: string | undefined,
): LauncherError {
  const own = tenant === undefined ? '' : ` or [tenants.${tenant}.registries."${registry}"]`;
  const why = access?.username
    ? `the account "${access.username}" may not read it`
    : `it asks for credentials, and there is no [registries."${registry}"]${own} in the configuration`;
  return new LauncherError('image.denied', `Image "${name}" is refused by registry "${registry}": ${why}`);
}
