/** What the paths of a mount may say: words for its owner, a directory or an export, and no place that is ours. */

import { fillPath, type PathWords } from '../lib/path-template.ts';

export interface MountOwner {
  readonly tenant: string;
  readonly owner: string;
  /** Empty where nobody knows it. */
  readonly home: string;
  readonly work: string;
}

/** Words for paths that an owner may lack. A mount that asks for one is left out then (contract §9.5). */
const optionalPaths = { home: 'home', work: 'work', tasdir: 'home' } as const;

/** @returns nothing when the template asks for a directory that the owner does not have. @throws RangeError */
export function fillMountPath(template: string, owner: MountOwner): string | undefined {
  const isLacking = Object.entries(optionalPaths).some(
    ([word, key]) => owner[key] === '' && template.includes(`{${word}}`),
  );
  return isLacking ? undefined : fillPath(template, wordsOf(owner));
}

function wordsOf({ tenant, owner, home, work }: MountOwner): PathWords {
  return {
    username: { name: owner },
    tenant: { name: tenant },
    tenant_id: { name: tenant },
    home: { path: home },
    work: { path: work },
    tasdir: { path: home },
  };
}

/** Where a mount comes from: a directory of the host, or a directory that a file server exports. */
export type MountSource =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'nfs'; readonly server: string; readonly path: string };

export function parseMountSource(text: string): MountSource {
  const [, server, path] = /^nfs:\/\/([^/]+)(\/.*)$/s.exec(text) ?? [];
  return server === undefined || path === undefined ? { kind: 'directory', path: text } : { kind: 'nfs', server, path };
}

/** @returns why nothing can be mounted there. */
export function problemOfPlace(container: string): string | undefined {
  if (container.startsWith('/_abaco')) return "what stands below /_abaco is the service's";
  const [, first = ''] = container.split('/');
  return ['proc', 'sys', 'dev'].includes(first) ? `/${first} is the system's` : undefined;
}
