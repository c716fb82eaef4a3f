/** What a search finds things by: the attributes that answers show, and the tenant. */

import { readersOf } from '../auth/readers.ts';
import type { Describe } from '../history/describe.ts';
import type { Json, SearchFields } from '../history/search.ts';
import { describeActor } from './actor-view.ts';
import { describeExecution } from './execution-view.ts';
import type { Attributes } from './wire.ts';

/** A state or an environment that is larger is not searched. */
const mostFieldChars = 64 * 1024;

/** There, and true, when something was too large. */
export const cutMark = '_cut';

export const describeForSearch: Describe = {
  actor: (actor, state) => boundFields({ tenant: actor.tenant, ...describeActor(actor, state) }),
  execution: (execution) => boundFields({ tenant: execution.tenant, ...describeExecution(execution) }),
  log: ({ tenant, actorId, id, executor }, text) => ({
    tenant,
    actor_id: actorId,
    id,
    execution_id: id,
    executor,
    logs: text,
  }),
  readers: readersOf,
};

export function boundFields(attributes: Attributes): SearchFields {
  const fields: Record<string, Json> = {};
  for (const [name, value] of Object.entries(attributes)) {
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined) continue;
    if (text.length > mostFieldChars) fields[cutMark] = true;
    else fields[name] = JSON.parse(text) as Json;
  }
  return fields;
}
