/** Aliases on the wire (contract §7.12). */

import { Type } from 'typebox';
import { reference, selfAndOwner } from './common.ts';

const words = {
  alias:
    'Second name of the actor, unique in the tenant; no hash id, no word of a path, none of \\ space " : / ? # [ ] @ ! $ & \' ( ) * + , ; = %',
  actor: 'Hash id of the actor it stands for.',
} as const;

export const aliasRequest = Type.Object(
  { alias: Type.String({ description: words.alias }), actor_id: Type.String({ description: words.actor }) },
  {
    $id: 'AliasRequest',
    description: 'A new alias.',
    examples: [{ alias: 'wordcount', actor_id: 'Dg84VrMjvPRB' }],
  },
);

export const aliasUpdateRequest = Type.Object(
  { actor_id: Type.String({ description: words.actor }) },
  {
    $id: 'AliasUpdateRequest',
    description: 'The other actor an alias is to stand for; its name cannot change.',
    examples: [{ actor_id: 'Dg84VrMjvPRB' }],
  },
);

export const alias = Type.Object(
  {
    _links: Type.Object({ ...selfAndOwner, actor: Type.String({ format: 'uri' }) }),
    alias: Type.String({ description: words.alias }),
    actor_id: Type.String({ description: words.actor }),
    owner: Type.String({ description: 'Who made it.' }),
  },
  {
    $id: 'Alias',
    description: 'A second name for an actor, which stands in paths where its id does.',
    examples: [
      {
        _links: {
          self: 'https://hpc.example.org/actors/v2/aliases/wordcount',
          owner: 'https://hpc.example.org/profiles/v2/jane',
          actor: 'https://hpc.example.org/actors/v2/Dg84VrMjvPRB',
        },
        alias: 'wordcount',
        actor_id: 'Dg84VrMjvPRB',
        owner: 'jane',
      },
    ],
  },
);

export const aliasRef = reference('Alias');

export const aliasParams = Type.Object({ alias: Type.String({ description: 'Name of the alias.' }) });
