/** Configs on the wire (contract §7.12). */

import { Type } from 'typebox';
import { reference } from './common.ts';

const words = {
  name: 'Name of the config, unique in the tenant; no word of a path, none of \\ space " : / ? # [ ] @ ! $ & \' ( ) * + , ; = %',
  value: 'Text that containers find in _actor_configs under the name; JSON text by convention.',
  secret: 'Whether the value is encrypted at rest and shown to nobody but containers.',
  actors: 'Ids and aliases of the actors that are given it, separated by commas.',
} as const;

const settings = {
  value: Type.String({ description: words.value }),
  is_secret: Type.Boolean({ description: words.secret }),
  actors: Type.String({ description: words.actors }),
};

export const configRequest = Type.Object(
  { name: Type.String({ description: words.name }), ...settings },
  {
    $id: 'ConfigRequest',
    description: 'A new config.',
    examples: [
      { name: 'solver', value: '{"tolerance": 1e-6}', is_secret: false, actors: 'Dg84VrMjvPRB,wordcount' },
      { name: 'bucket-key', value: 'not told to anybody', is_secret: true, actors: 'Dg84VrMjvPRB' },
    ],
  },
);

export const configUpdateRequest = Type.Object(settings, {
  $id: 'ConfigUpdateRequest',
  examples: [{ value: '{"tolerance": 1e-9}', is_secret: false, actors: 'Dg84VrMjvPRB' }],
  description: 'All of a config anew but its name. What stands for a secret, as value, keeps the secret as it is.',
});

export const config = Type.Object(
  {
    name: Type.String({ description: words.name }),
    value: Type.String({ description: 'The text; of a secret one that stands for it and tells nothing of it.' }),
    is_secret: Type.Boolean({ description: words.secret }),
    actors: Type.String({ description: `${words.actors} Those that were deleted are left out.` }),
  },
  {
    $id: 'Config',
    description: 'What several actors are given: a setting, or a secret.',
    examples: [{ name: 'solver', value: '{"tolerance": 1e-6}', is_secret: false, actors: 'Dg84VrMjvPRB' }],
  },
);

export const configRef = reference('Config');

export const configParams = Type.Object({ config: Type.String({ description: 'Name of the config.' }) });
