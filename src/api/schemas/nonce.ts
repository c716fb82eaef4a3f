/** Nonces on the wire (contract §7.12). */

import { Type } from 'typebox';
import { aliasParams } from './alias.ts';
import { actorParams, reference, selfAndOwner, time, timeOrAbsent } from './common.ts';

const level =
  'What it is good for: NONE, READ, EXECUTE (messages too) or UPDATE. A nonce of an alias has EXECUTE at most.';

export const nonceRequest = Type.Object(
  {
    level: Type.Optional(Type.String({ description: level, default: 'EXECUTE' })),
    max_uses: Type.Optional(Type.Integer({ description: 'How often it can be used; -1 sets no limit.', default: -1 })),
    description: Type.Optional(Type.String({ description: 'What it is for.', default: '' })),
  },
  {
    $id: 'NonceRequest',
    description: 'A new nonce; all of it may be left out.',
    examples: [{ level: 'EXECUTE', max_uses: 10, description: 'for the hook of the repository' }],
  },
);

const orNull = (description: string) => Type.Union([Type.String(), Type.Null()], { description });

export const nonce = Type.Object(
  {
    _links: Type.Object({ ...selfAndOwner, actor: Type.String({ format: 'uri' }) }),
    id: orNull('What is sent as x-nonce; null for whom it might open more than they may.'),
    actor_id: orNull('Hash id of the actor; null where it is good for an alias.'),
    alias: Type.Optional(Type.String({ description: 'The alias it is good for, if it is one.' })),
    api_server: Type.String({ description: 'Base of the links.' }),
    owner: Type.String({ description: 'Who made it, and as whom its bearer acts.' }),
    roles: Type.Array(Type.String(), { description: 'Roles of the owner when it was made, which its bearer has.' }),
    level: Type.String({ description: level }),
    description: Type.String({ description: 'What it is for.' }),
    max_uses: Type.Integer({ description: 'How often it could be used; -1 sets no limit.' }),
    current_uses: Type.Integer({ description: 'How often it was used.' }),
    remaining_uses: Type.Integer({ description: 'How often it can still be used; -1 sets no limit.' }),
    create_time: time('When it was made.'),
    last_use_time: timeOrAbsent('When it was last used.'),
  },
  {
    $id: 'Nonce',
    description: 'A key of limited use that stands for its owner on one actor or alias.',
    examples: [
      {
        _links: {
          self: 'https://hpc.example.org/actors/v2/Dg84VrMjvPRB/nonces/PHYSICS_kzo88j8JWQ7',
          owner: 'https://hpc.example.org/profiles/v2/jane',
          actor: 'https://hpc.example.org/actors/v2/Dg84VrMjvPRB',
        },
        id: 'PHYSICS_kzo88j8JWQ7',
        actor_id: 'Dg84VrMjvPRB',
        api_server: 'https://hpc.example.org',
        owner: 'jane',
        roles: ['Internal/everyone'],
        level: 'EXECUTE',
        description: 'for the hook of the repository',
        max_uses: 10,
        current_uses: 0,
        remaining_uses: 10,
        create_time: '2026-05-01T14:45:41.591Z',
        last_use_time: 'None',
      },
    ],
  },
);

export const nonceRef = reference('Nonce');

const nonceId = Type.String({ description: 'Id of the nonce, with its tenant: TENANT_hashid.' });

export const actorNonceParams = Type.Object({ ...actorParams.properties, nonce_id: nonceId });
export const aliasNonceParams = Type.Object({ ...aliasParams.properties, nonce_id: nonceId });
