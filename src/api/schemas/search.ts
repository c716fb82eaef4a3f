/** Searches on the wire (contract §7.13). */

import { type TSchema, Type } from 'typebox';
import { selfAndOwner } from './common.ts';

export const searchMetadata = Type.Object(
  {
    total_count: Type.Integer({ description: 'How many there are.' }),
    records_skipped: Type.Integer({ description: 'How many were left out at the start.' }),
    record_limit: Type.Integer({ description: 'Most that this answer would hold.' }),
    count_returned: Type.Integer({ description: 'How many it holds.' }),
    incomplete: Type.Optional(
      Type.String({ description: 'Said where what was changed in the last moments may not be found yet.' }),
    ),
  },
  {
    $id: 'SearchMetadata',
    description: 'What page of how many this is.',
    examples: [{ total_count: 7, records_skipped: 0, record_limit: 100, count_returned: 7 }],
  },
);

/** A page of what was found. */
export function searchResult(item: TSchema): TSchema {
  return Type.Object({
    _metadata: Type.Unsafe({ $ref: 'SearchMetadata#' }),
    search: Type.Array(item, { description: 'The best match first, then the oldest.' }),
  });
}

export const foundLog = Type.Object({
  logs: Type.String({ description: 'The log as GET gives it.' }),
  _links: Type.Object({ ...selfAndOwner, execution: Type.String({ format: 'uri' }) }),
});

/** Of a route that is a search, or becomes one by any of them. Filters have the names of attributes, so none is listed. */
export const searchQuerystring = Type.Object({
  search: Type.Optional(Type.String({ description: 'Words that rank: what holds more of them comes first.' })),
  exactsearch: Type.Optional(
    Type.String({ description: 'Words that have to stand beside each other, in this order.' }),
  ),
  skip: Type.Optional(Type.Integer({ minimum: 0, maximum: 100_000, default: 0, description: 'Leaves out as many.' })),
  limit: Type.Optional(
    Type.Integer({ minimum: 0, default: 100, description: 'Most that are given; more than 1000 counts as 1000.' }),
  ),
});

export const aboutSearch =
  'Every other parameter is a filter on an attribute, and all of them have to hold: `field=value`, or `field.op=value` ' +
  'with op one of eq, neq, lt, lte, gt, gte, in, nin (a JSON list), like, nlike (a regular expression without ' +
  'back-references), between (`a,b`). Attributes within attributes have dots: `final_state.ExitCode`. Values are tried ' +
  'as true or false, none, a time where the attribute is one, a number, JSON, and text.';

const whereListing = 'Where the setting compat.listing_query is "listing":';

const offset = Type.Optional(
  Type.Integer({ minimum: 0, maximum: 10_000, description: `${whereListing} leaves out as many.` }),
);

/** Of a listing that becomes a search by any parameter, or takes pages. */
export const listingQuerystring = Type.Object({ ...searchQuerystring.properties, offset });

/** Of a listing that never is a search. */
export const pageQuerystring = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 0, description: `${whereListing} most that are listed.` })),
  offset,
});

export const searchOrListing =
  'With any query parameter it is a search of the same things, unless the setting compat.listing_query is "listing". ' +
  aboutSearch;
