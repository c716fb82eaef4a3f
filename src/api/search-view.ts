/** What a search has found as clients see it: as in GET, from what was kept of it. */

import type { FoundEntry, SearchKind } from '../history/search.ts';
import { linksOfActor } from './actor-view.ts';
import { linksOfExecution } from './execution-view.ts';
import type { Links } from './links.ts';
import { cutMark } from './search-fields.ts';
import type { Attributes } from './wire.ts';

/** @returns nothing when not all of it was kept. */
export function renderFound(kind: SearchKind, entry: FoundEntry, links: Links): Attributes | undefined {
  const { tenant: _tenant, [cutMark]: cut, ...own } = entry.fields;
  if (cut === true) return undefined;
  const { actorId, id } = entry;
  const _links =
    kind === 'actors'
      ? linksOfActor({ id, owner: textOf(own['owner']) }, links)
      : linksOfExecution({ actorId, id, executor: textOf(own['executor']) }, links);
  return { _links, ...own };
}

/** Of a value that is one. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
