/** Which images a tenant may use, by patterns of its site. Pure. */

import { ForbiddenError } from '../errors.ts';
import { type ImageSourceKind, parseImageSource, placeOf, spellingsOf } from './image-source.ts';

export interface ImagePolicy {
  /** Nothing given allows every image. Matched with the image as it was written. */
  readonly imagesAllow: readonly string[];
  /** Stands over what is allowed. Matched with whatever else leads to the same image. */
  readonly imagesDeny: readonly string[];
}

/** Throws `ForbiddenError` for an image that the patterns leave out, `InvalidError` for what is none. */
export function checkImagePolicy(tenant: string, image: string, policy: ImagePolicy | undefined): void {
  const source = parseImageSource(image);
  if (policy === undefined) return;
  const place = placeOf(source);
  const spellings = spellingsOf(source);
  const denied = policy.imagesDeny.find((pattern) => {
    const ways = patternsOf(pattern, source.kind);
    return ways.some((way) => spellings.some((spelling) => matchesPattern(spelling, way)));
  });
  if (denied !== undefined) throw refused(tenant, image, `"${place}" is among those it denies ("${denied}")`);
  const { imagesAllow } = policy;
  if (imagesAllow.length === 0 || imagesAllow.some((pattern) => matchesPattern(place, pattern))) return;
  throw refused(tenant, image, `"${place}" is none of those it allows: ${imagesAllow.join(', ')}`);
}

/** `*` stands for anything within a part of the name, `**` for anything, `?` for one character. */
export function matchesPattern(place: string, pattern: string): boolean {
  const source = pattern.replaceAll(/\*\*|\*|\?|[^*?]+/g, (part) => {
    if (part === '**') return '.*';
    if (part === '*') return '[^/]*';
    return part === '?' ? '[^/]' : RegExp.escape(part);
  });
  return new RegExp(`^${source}$`, 's').test(place);
}

/** As places are spelled: in small letters, without what is understood. */
function patternsOf(pattern: string, kind: ImageSourceKind): readonly string[] {
  if (kind === 'file') return [pattern];
  const said = kind === 'registry' ? pattern.toLowerCase().replace(/^docker:\/\//, '') : pattern.toLowerCase();
  return [said, said.replace(/^((?:oras:\/\/)?[^/]*):443(?=\/)/, '$1')];
}

function refused(tenant: string, image: string, why: string): ForbiddenError {
  const who = `Tenant "${tenant}" may not use image ${JSON.stringify(image)}`;
  return new ForbiddenError('image.forbidden', `${who}: ${why}; ask those who run the service`);
}
