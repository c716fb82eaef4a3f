import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Host } from '../../../../launchers/host/host.ts';
import type { HostOptions } from '../../../../launchers/host/host-options.ts';
import { checkWrapper, sudoersLine } from '../../../../launchers/host/sudo-rule.ts';
import { packageRoot } from '../../../support/package-root.ts';

const options = { user: 'abaco', directory: '/lustre/abaco' } as HostOptions;

describe('the line of sudo', () => {
  it.each(['OPERATIONS.md', 'launchers/README.md'])('is the one that %s shows', (document) => {
    expect(readFileSync(join(packageRoot, document), 'utf8')).toContain(`${sudoersLine(options, 'users')}\n`);
  });

  it('is the one that the test cluster has', () => {
    const installed = readFileSync(join(packageRoot, 'images/cluster/node/sudoers'), 'utf8');
    expect(installed).toContain(`\n${sudoersLine(options, 'science')}\n`);
  });

  it('escapes what means something there', () => {
    const line = sudoersLine({ user: 'abaco', directory: '/a b/x,y:z=*' }, 'users');
    expect(line).toBe(String.raw`abaco ALL=(%users) NOPASSWD: /a\ b/x\,y\:z\=\*/agent/abaco-agent ""`);
  });
});

describe('what sudo runs', () => {
  const signal = new AbortController().signal;
  const answering = (stdout: string) =>
    ({ run: async (command) => command.parse({ exitCode: 0, signal: null, stdout, stderr: '' }) }) as Pick<
      Host,
      'run'
    > as Host;
  const paths = ['/lustre/abaco', '/lustre/abaco/agent', '/lustre/abaco/agent/abaco-agent'];
  const stat = (...facts: string[]): Host =>
    answering(facts.map((fact, index) => `${fact} ${paths[index]}\n`).join(''));

  it("is safe where all that leads to it is the service account's alone to change", async () => {
    const said = await checkWrapper(stat('root 755', 'abaco 755', 'abaco 755'), options, signal);
    expect(said).toBe("/lustre/abaco/agent/abaco-agent is abaco's alone to change");
  });

  it.each([
    ['belongs to another', ['abaco 755', 'abaco 755', 'alice 755'], '/lustre/abaco/agent/abaco-agent belongs to alice'],
    ['can be written by a group', ['abaco 755', 'abaco 775', 'abaco 755'], 'others can write to /lustre/abaco/agent'],
    ['can be written by all', ['abaco 757', 'abaco 755', 'abaco 755'], 'others can write to /lustre/abaco (mode 757)'],
    ['is not there', ['abaco 755'], '/lustre/abaco/agent/abaco-agent is not there'],
  ])('is not safe where something of it %s', async (_, facts, why) => {
    await expect(checkWrapper(stat(...facts), options, signal)).rejects.toThrow(why);
  });
});
