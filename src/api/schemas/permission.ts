/** Permissions on the wire (contract §7.12). */

import { Type } from 'typebox';
import { permissions } from '../../auth/permission.ts';

const levels = permissions.map((level) => Type.Literal(level));

export const permissionMap = Type.Record(
  Type.String(),
  Type.Union(levels, { description: 'NONE, READ, EXECUTE or UPDATE; each holds those before it.' }),
  {
    $id: 'Permissions',
    examples: [{ jane: 'UPDATE', ABACO_WORLD: 'READ' }],
    description: 'Level of each user who stands in the map; "ABACO_WORLD" is everybody of the tenant.',
  },
);

export const permissionRequest = Type.Object(
  {
    user: Type.String({ description: 'User that is given the level; "ABACO_WORLD" is everybody of the tenant.' }),
    level: Type.String({ description: 'NONE, READ, EXECUTE or UPDATE; NONE takes away what was given.' }),
  },
  {
    $id: 'PermissionRequest',
    description: 'What one user, or everybody, may do.',
    examples: [{ user: 'joe', level: 'EXECUTE' }],
  },
);
