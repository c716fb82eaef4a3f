/** What a registry says of an image: the digest behind a tag, and what the image runs (OCI distribution specification). */

import { asError, LauncherError, UnavailableError } from '../../src/errors.ts';
import { type ImageName, parseImageName } from '../../src/launcher/image-name.ts';
import type { RegistryAccess } from '../../src/launcher/launcher.ts';

export interface ResolvedImage {
  /** Host and port. */
  readonly registry: string;
  readonly repository: string;
  /** Of the manifest for this platform. */
  readonly digest: string;
  /** Entrypoint and command. */
  readonly argv: readonly string[];
  readonly access: RegistryAccess | undefined;
}

/** What a name without a registry means. */
const hub = { name: 'docker.io', api: 'registry-1.docker.io', folder: 'library/' } as const;

const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

interface Manifest {
  readonly manifests?: readonly {
    readonly digest: string;
    readonly platform?: { readonly architecture?: string; readonly os?: string };
  }[];
  readonly config?: { readonly digest: string };
}

interface ImageConfig {
  readonly config?: { readonly Entrypoint?: readonly string[] | null; readonly Cmd?: readonly string[] | null };
}

/**
 * Rejects with `image.invalid`, `image.not_found`, `image.denied`, or `image.registry_unavailable` when trouble may pass.
 *
 * @param architecture as OCI names it: "amd64".
 */
export async function resolveImage(
  name: string,
  registries: Readonly<Record<string, RegistryAccess>>,
  { architecture, signal }: { readonly architecture: string; readonly signal: AbortSignal },
): Promise<ResolvedImage> {
  const image = parseImageName(name);
  const registry = image.registry ?? hub.name;
  const access = registries[registry];
  const session = createSession(name, image, registry, access, signal);
  const reference = image.digest ?? image.tag ?? 'latest';
  let { body, digest } = await session.json(`manifests/${reference}`, manifestTypes);
  const index = body as Manifest;
  if (index.manifests) {
    const ours = index.manifests.find(
      ({ platform }) => platform?.architecture === architecture && platform.os === 'linux',
    );
    if (!ours) throw notFound(name, `it is not there for linux/${architecture}`);
    ({ body, digest } = await session.json(`manifests/${ours.digest}`, manifestTypes));
  }
  const manifest = body as Manifest;
  if (!manifest.config) throw notFound(name, 'its manifest names no configuration');
  const described = (await session.json(`blobs/${manifest.config.digest}`, '*/*')).body as ImageConfig;
  const argv = [...(described.config?.Entrypoint ?? []), ...(described.config?.Cmd ?? [])];
  return { registry, repository: session.repository, digest, argv, access };
}

function createSession(
  name: string,
  image: ImageName,
  registry: string,
  access: RegistryAccess | undefined,
  signal: AbortSignal,
) {
  const isHub = registry === hub.name;
  const scheme = access?.insecure === true ? 'http' : 'https';
  const repository = isHub && !image.repository.includes('/') ? hub.folder + image.repository : image.repository;
  const base = `${scheme}://${isHub ? hub.api : registry}/v2/${repository}`;
  const basic = access?.username
    ? `Basic ${Buffer.from(`${access.username}:${access.password}`).toString('base64')}`
    : '';
  let authorization = '';

  async function get(path: string, accept: string): Promise<Response> {
    const ask = async (): Promise<Response> => {
      const headers = { accept, ...(authorization === '' ? {} : { authorization }) };
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

  return {
    repository,
    /** Read as it is: what we use of it is checked where it is used. */
    async json(path: string, accept: string): Promise<{ readonly body: unknown; readonly digest: string }> {
      const answer = await get(path, accept);
      if (answer.status === 401 || answer.status === 403) throw denied(name, registry, access);
      if (answer.status === 404) throw notFound(name, `registry "${registry}" does not have it`);
      if (!answer.ok) {
        const message = `Registry "${registry}" answers ${answer.status} for image "${name}"`;
        throw new UnavailableError('image.registry_unavailable', message);
      }
      const digest = answer.headers.get('docker-content-digest') ?? path.slice(path.indexOf('/') + 1);
      return { body: await answer.json(), digest };
    },
  };
}

function notFound(name: string, why: string): LauncherError {
  return new LauncherError('image.not_found', `Image "${name}" is not there: ${why}`);
}

function denied(name: string, registry: string, access: RegistryAccess | undefined): LauncherError {
  const why = access?.username
    ? `the account "${access.username}" may not read it`
    : `it asks for credentials, and there is no [registries."${registry}"] in the configuration`;
  return new LauncherError('image.denied', `Image "${name}" is refused by registry "${registry}": ${why}`);
}
