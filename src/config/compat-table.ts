/** Settings of the table `[compat]`; `config/README.md` says who relies on which way. */

import { choice, table } from './setting.ts';

/** As `"token"` of an actor that says nothing is shown. */
export const defaultTokens = ['false', 'true', 'boolean'] as const;

export const compat = table('Ways of the original that some clients rely on.', {
  jwt_millisecond_expiry: choice(
    'What becomes of a token whose expiry counts milliseconds, as some gateways write it: "ignore" never lets it expire.',
    ['check', 'ignore'],
  ),
  error_status: choice(
    "Numbers of errors, and of what was created: the contract's, 400 and 200, or those of HTTP, as 401, 403, 409 and 201.",
    ['contract', 'http'],
  ),
  nonce_ids: choice(
    'Who finds the ids of nonces, which are as good as the nonces, in their listing: who may UPDATE, or all who may READ.',
    ['updaters', 'readers'],
  ),
  absent_times: choice('What stands for a time that there is not, in workers and nonces: the text "None", or null.', [
    'None',
    'null',
  ]),
  config_actors: choice('Which actors a config may name: those its maker may UPDATE, or any of the tenant.', [
    'any',
    'updatable',
  ]),
  default_token: choice(
    '"token" of actors that say nothing; answers show it as this text, or with "boolean" as false.',
    defaultTokens,
  ),
  value_text: choice(
    'How values that are no text are written into variables of programs: as Python repeats them, or as JSON.',
    ['python', 'json'],
  ),
  failed_status: choice(
    'Status of an execution whose program failed, that is ended with another exit code than 0 or was killed.',
    ['COMPLETE', 'ERROR'],
  ),
  listing_query: choice(
    'What a query parameter makes of a listing: a search, or a page of it (limit and offset), other parameters passed over.',
    ['search', 'listing'],
  ),
  message_variables: choice(
    'Which variables a message may carry whose sender may not UPDATE the actor: none that say which code runs or whom it talks to, or any.',
    ['harmless', 'any'],
  ),
  put: choice('What becomes of the settings that a PUT of an actor leaves out: their defaults, or they stay.', [
    'replace',
    'merge',
  ]),
});
