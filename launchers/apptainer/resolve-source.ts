/** From an image as a user names it to what a SIF is built of: the digest it is pinned to, and a recipe. */

import { LauncherError, ServiceError } from '../../src/errors.ts';
import { renderImageName } from '../../src/launcher/image-name.ts';
import { type ImageSource, parseImageSource } from '../../src/launcher/image-source.ts';
import type { ImageRef, RegistryAccess } from '../../src/launcher/launcher.ts';
import type { Host } from '../host/host.ts';
import type { EngineImages } from './engine-images.ts';
import { repositoryOf, resolveDigest } from './registry.ts';

export interface ResolvedSource {
  /** Of the manifest, of the image of an engine, or of the file. */
  readonly digest: string;
  /** The first lines of a definition (apptainer-build(1)); files it names are in the working directory. */
  recipe(work: string): Recipe;
  /** Puts what the recipe needs into the working directory. */
  fetch?(work: string, signal: AbortSignal): Promise<void>;
  /** Throws where what was built is not of this digest after all. */
  check?(): Promise<void>;
}

export interface Recipe {
  readonly bootstrap: 'docker' | 'docker-archive' | 'localimage' | 'oras';
  readonly from: string;
  readonly registry?: string;
  readonly access?: RegistryAccess | undefined;
}

export interface SourceParts {
  /** Where the build runs; for a file, as the user who reads it. */
  readonly host: Host;
  readonly engine: EngineImages;
  readonly architecture: string;
  /** What a tenant may use: its own, else the site's. */
  readonly accessOf: (tenant: string | undefined, registry: string) => RegistryAccess | undefined;
}

/** With a digest, what it is pinned to and nothing else. Rejects as `Launcher.prepare` does. */
export async function resolveSource(parts: SourceParts, image: ImageRef, signal: AbortSignal): Promise<ResolvedSource> {
  const source = parseImageSource(image.name);
  switch (source.kind) {
    case 'file':
      return await resolveFile(parts, source.path, image.digest);
    case 'engine':
      return await resolveEngine(parts, image, renderImageName(source.name), signal);
    case 'registry':
    case 'oras':
      return await resolveInRegistry(parts, image, source, signal);
  }
}

async function resolveInRegistry(
  { architecture, accessOf }: SourceParts,
  image: ImageRef,
  source: Extract<ImageSource, { readonly kind: 'registry' | 'oras' | 'engine' }>,
  signal: AbortSignal,
): Promise<ResolvedSource> {
  const name = image.digest === undefined ? source.name : { ...source.name, digest: image.digest };
  const { registry, repository } = repositoryOf(name);
  const access = accessOf(image.tenant, registry);
  const isSif = source.kind === 'oras';
  const ask = { shown: image.name, access, tenant: image.tenant, architecture, isSif, signal };
  const digest = await resolveDigest(name, ask);
  // By its digest, which Apptainer holds manifest and layers to: a registry cannot send it another image.
  const from = `${registry}/${repository}@${digest}`;
  return { digest, recipe: () => ({ bootstrap: isSif ? 'oras' : 'docker', from, registry, access }) };
}

/** Uploaded as the archive that the engine writes of it. */
async function resolveEngine(
  { host, engine }: SourceParts,
  image: ImageRef,
  name: string,
  signal: AbortSignal,
): Promise<ResolvedSource> {
  const id = await engine.identify(image.digest ?? name, signal);
  const archive = (work: string): string => `${work}/image.tar`;
  return {
    digest: id,
    recipe: (work) => ({ bootstrap: 'docker-archive', from: archive(work) }),
    fetch: async (work, aborted) => await host.put(archive(work), engine.save(id, aborted)),
  };
}

/** Made of the file once: what becomes of the file later is no matter of a revision that is pinned. */
async function resolveFile({ host }: SourceParts, path: string, pinned: string | undefined): Promise<ResolvedSource> {
  const hash = async (): Promise<string> => `sha256:${await host.hash(path)}`;
  const digest = await hash().catch((thrown: unknown) => {
    const isTheirs =
      thrown instanceof ServiceError && ['host.file_not_found', 'host.file_denied'].includes(thrown.code);
    if (!isTheirs) throw thrown;
    throw new LauncherError('image.not_found', `Image "${path}" cannot be read by its user: ${thrown.message}`, {
      cause: thrown,
    });
  });
  const mustBe = pinned ?? digest;
  const checkDigest = (found: string): void => {
    if (found === mustBe) return;
    const message = `Image "${path}" is another file than it was; update the actor to use the new one`;
    throw new LauncherError('image.not_found', message);
  };
  checkDigest(digest);
  // By a name of ours: a definition would read more into some paths.
  const link = (work: string): string => `${work}/source.sif`;
  return {
    digest,
    recipe: (work) => ({ bootstrap: 'localimage', from: link(work) }),
    fetch: async (work) => void (await host.link(link(work), path)),
    check: async () => checkDigest(await hash()),
  };
}
