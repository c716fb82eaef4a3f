/** What a registry says of an image: the digest behind a tag, and what it runs (OCI distribution specification). */

import { asError, LauncherError, UnavailableError } from '../../src/errors.ts';
import type { ImageName } from '../../src/launcher/image-name.ts';
import type { RegistryAccess } from '../../src/launcher/launcher.ts';
import type { ReadBytes } from './sif-file.ts';

export interface ResolvedImage {
  /** Of the manifest for this platform. */
  readonly digest: string;
  /** Entrypoint and command. */
  readonly argv: readonly string[];
}

export interface AskOptions {
  /** As the user wrote it, for messages. */
  readonly shown: string;
  readonly access: RegistryAccess | undefined;
  /** Whose credentials were looked for, for the message that says which are missing. */
  readonly tenant: string | undefined;
  /** As OCI names it: "amd64". */
  readonly architecture: string;
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

interface Descriptor {
  readonly digest: string;
  readonly mediaType?: string;
  readonly platform?: { readonly architecture?: string; readonly os?: string };
}

interface Manifest {
  readonly manifests?: readonly Descriptor[];
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
}

interface ImageConfig {
  readonly config?: { readonly Entrypoint?: readonly string[] | null; readonly Cmd?: readonly string[] | null };
}

/** Where a registry keeps it, with the folder that Docker Hub takes for granted. */
export function repositoryOf(image: ImageName): { readonly registry: string; readonly repository: string } {
  const registry = image.registry ?? hub.name;
  const folder = registry === hub.name && !image.repository.includes('/') ? hub.folder : '';
  return { registry, repository: folder + image.repository };
}

/** Rejects with `image.not_found`, `image.denied`, or `image.registry_unavailable` when trouble may pass. */
export async function resolveImage(image: ImageName, options: AskOptions): Promise<ResolvedImage> {
  const { shown, architecture } = options;
  const session = createSession(image, options);
  let { body, digest } = await session.json(`manifests/${referenceOf(image)}`, manifestTypes);
  const index = body as Manifest;
  if (index.manifests) {
    const ours = index.manifests.find(
      ({ platform }) => platform?.architecture === architecture && platform.os === 'linux',
    );
    if (!ours) throw notFound(shown, `it is not there for linux/${architecture}`);
    ({ body, digest } = await session.json(`manifests/${ours.digest}`, manifestTypes));
  }
  const manifest = body as Manifest;
  if (!manifest.config) throw notFound(shown, 'its manifest names no configuration');
  const described = (await session.json(`blobs/${manifest.config.digest}`, '*/*')).body as ImageConfig;
  const argv = [...(described.config?.Entrypoint ?? []), ...(described.config?.Cmd ?? [])];
  return { digest, argv };
}

/** How Apptainer calls the one layer of a SIF it has pushed. */
const sifLayer = 'application/vnd.sylabs.sif.layer.v1.sif';

/** A SIF that a registry keeps (`apptainer push`), and a reader of parts of it. Rejects as `resolveImage` does. */
export async function resolveSif(
  image: ImageName,
  options: AskOptions,
): Promise<{ readonly digest: string; readonly read: ReadBytes }> {
  const session = createSession(image, options);
  const { body, digest } = await session.json(`manifests/${referenceOf(image)}`, manifestTypes);
  const layer = (body as Manifest).layers?.find(({ mediaType }) => mediaType === sifLayer);
  if (!layer) throw notFound(options.shown, 'what is there is no SIF; leave "oras://" away for an image of layers');
  return { digest, read: async (offset, length) => await session.bytes(`blobs/${layer.digest}`, offset, length) };
}

function referenceOf({ digest, tag }: ImageName): string {
  return digest ?? tag ?? 'latest';
}

function createSession(image: ImageName, { shown, access, tenant, signal }: AskOptions) {
  const { registry, repository } = repositoryOf(image);
  const scheme = access?.insecure === true ? 'http' : 'https';
  const base = `${scheme}://${registry === hub.name ? hub.api : registry}/v2/${repository}`;
  const basic = access?.username
    ? `Basic ${Buffer.from(`${access.username}:${access.password}`).toString('base64')}`
    : '';
  let authorization = '';

  async function get(path: string, wanted: Readonly<Record<string, string>>): Promise<Response> {
    const ask = async (): Promise<Response> => {
      const headers = { ...wanted, ...(authorization === '' ? {} : { authorization }) };
      return await send(`${base}/${path}`, headers);
    };
    const first = await ask();
    if (first.status !== 401 || authorization !== '') return first;
    authorization = await answerChallenge(first.headers.get('www-authenticate') ?? '');
    return authorization === '' ? first : await ask();
  }

  async function send(url: string, headers: Readonly<Record<string, string>>): Promise<Response> {
    try {
      return await fetch(url, { headers, signal: AbortSignal.any([signal, AbortSignal.timeout(30_000)]) });
    } catch (thrown) {
      if (signal.aborted) throw signal.reason;
      const reason = asError(asError(thrown).cause ?? thrown).message;
      throw new UnavailableError('image.registry_unavailable', `Registry "${registry}" does not answer: ${reason}`, {
        cause: thrown,
      });
    }
  }

  /** A token for reading this repository, where the registry wants one; else the password itself. */
  async function answerChallenge(challenge: string): Promise<string> {
    if (!/^Bearer /i.test(challenge)) return basic;
    const fields = Object.fromEntries(
      [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]),
    );
    const { realm = '', service = '' } = fields as Readonly<Record<string, string>>;
    const query = new URLSearchParams({ service, scope: `repository:${repository}:pull` });
    const answer = await send(`${realm}?${query.toString()}`, basic === '' ? {} : { authorization: basic });
    if (!answer.ok) return '';
    const { token, access_token: other } = (await answer.json()) as {
      readonly token?: string;
      readonly access_token?: string;
    };
    return `Bearer ${token ?? other ?? ''}`;
  }

  async function expect(path: string, headers: Readonly<Record<string, string>>): Promise<Response> {
    const answer = await get(path, headers);
    if (answer.ok) return answer;
    await answer.body?.cancel();
    if (answer.status === 401 || answer.status === 403) throw denied(shown, registry, access, tenant);
    if (answer.status === 404) throw notFound(shown, `registry "${registry}" does not have it`);
    const message = `Registry "${registry}" answers ${answer.status} for image "${shown}"`;
    throw new UnavailableError('image.registry_unavailable', message);
  }

  return {
    /** Read as it is: what we use of it is checked where it is used. */
    async json(path: string, accept: string): Promise<{ readonly body: unknown; readonly digest: string }> {
      const answer = await expect(path, { accept });
      const digest = answer.headers.get('docker-content-digest') ?? path.slice(path.indexOf('/') + 1);
      return { body: await answer.json(), digest };
    },
    async bytes(path: string, offset: number, length: number): Promise<Uint8Array> {
      const answer = await expect(path, { accept: '*/*', range: `bytes=${offset}-${offset + length - 1}` });
      const from = answer.status === 206 ? 0 : offset;
      return await takeBytes(answer, from, length);
    },
  };
}

/** No more of a body than is wanted: a registry that knows no ranges sends the whole. */
async function takeBytes(answer: Response, from: number, length: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes >= from + length) break;
  }
  return Buffer.concat(chunks).subarray(from, from + length);
}

function notFound(name: string, why: string): LauncherError {
  return new LauncherError('image.not_found', `Image "${name}" is not there: ${why}`);
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
