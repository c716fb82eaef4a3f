import { createHash } from 'node:crypto';
import { InvalidError, LauncherError, UnavailableError } from '../../src/errors.ts';
import { parseImageSource } from '../../src/launcher/image-source.ts';
import type { ImageRef, PreparedImage } from '../../src/launcher/launcher.ts';

/** Every image is there, but for those whose last part says otherwise: "mock/not-found", "any/unreachable:1". */
export function prepareMockImage(image: ImageRef): PreparedImage {
  const source = parseImageSource(image.name);
  if (source.kind !== 'registry') {
    throw new InvalidError(
      'image.invalid',
      `Image "${image.name}" is not for this launcher: it pretends registries alone`,
    );
  }
  const { name } = source;
  const trouble = troubles[name.repository.split('/').at(-1) ?? ''];
  if (trouble !== undefined) throw trouble(image.name);
  const digest = image.digest ?? name.digest ?? `sha256:${createHash('sha256').update(image.name).digest('hex')}`;
  return { name: image.name, digest, argv: ['mock'] };
}

const troubles: Readonly<Record<string, (name: string) => Error>> = {
  'not-found': (name) =>
    new LauncherError('image.not_found', `Image "${name}" was not found: its name says so; use another`),
  denied: (name) => new LauncherError('image.denied', `Image "${name}" was refused: its name says so; use another`),
  unreachable: (name) =>
    new UnavailableError(
      'image.registry_unavailable',
      `Image "${name}" was not pulled: its name says that no registry answers`,
    ),
};
