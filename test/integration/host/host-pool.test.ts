/** What the installation of the agent on this machine takes from files that an operator changes meanwhile. */

import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createPlaces } from '../../../launchers/apptainer/places.ts';
import { apptainerDefaults } from '../../support/apptainer-bench.ts';
import { makeTestDirectory } from '../../support/test-directory.ts';

describe('this machine', () => {
  it('tries again to install what could not be installed', async () => {
    await using directory = await makeTestDirectory('places');
    const file = (name: string): string => join(directory.path, name);
    await writeFile(file('local'), 'a program');
    await writeFile(file('agent'), 'in the way');
    const places = createPlaces({
      launcher: 'here',
      options: { ...apptainerDefaults, become: true, directory: directory.path, work: '/home/{username}' },
      agentFiles: { node: file('local'), script: file('local') },
      installationId: 'test',
      dataDir: directory.path,
    });
    const alice = places.of('no-such-user');
    await expect(alice.list('/')).rejects.toThrow(`"${file('agent')}" on this machine: EEXIST`);
    await rm(file('agent'));
    // Nobody has that name, with sudo or without.
    await expect(alice.list('/')).rejects.toThrow('does not run our agent');
    await places.close();
  });
});
