import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { installAgent } from '../../../../launchers/host/install-agent.ts';
import { hashOf } from '../../../../launchers/host/install-file.ts';
import { createLocalHost } from '../../../../launchers/host/local-host.ts';
import { makeTestDirectory } from '../../../support/test-directory.ts';

it('the program that starts the agent may lie below a name with a blank', async () => {
  await using directory = await makeTestDirectory('install-agent');
  const local = join(directory.path, 'local');
  await writeFile(local, 'a program');
  const there = join(directory.path, 'abaco hpc');
  const host = createLocalHost({ scratchRoots: [] });
  const { wrapper } = await installAgent(host, there, { node: local, script: local });
  const name = (await hashOf(local)).slice(0, 16);
  expect(await readFile(wrapper, 'utf8')).toBe(
    `#!/bin/sh\nexec '${there}/node-${name}' '${there}/agent-${name}' --stdio\n`,
  );
});

it('a file of ours that could not be read is read again', async () => {
  await using directory = await makeTestDirectory('install-agent');
  const local = join(directory.path, 'late');
  await expect(hashOf(local)).rejects.toThrow('ENOENT');
  await writeFile(local, '');
  expect(await hashOf(local)).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
});
