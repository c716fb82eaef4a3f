/** Limits of memory and processors on a host that may have them, or has not been reached yet. Apptainer is played. */

import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { apptainerKind } from '../../../../launchers/apptainer/apptainer-launcher.ts';
import { InvalidError, UnavailableError } from '../../../../src/errors.ts';
import type { LaunchSpec } from '../../../../src/launcher/launcher.ts';
import { apptainerDefaults } from '../../../support/apptainer-bench.ts';
import { silentLog } from '../../../support/silent-log.ts';
import { makeTestDirectory } from '../../../support/test-directory.ts';

const signal = new AbortController().signal;

/** What the played one does where it is asked to limit a program. */
const plays = {
  limits: 'exit 2',
  none: 'echo "FATAL: cannot use cgroups" >&2; exit 255',
  // As timeout(1) ends where systemd does not answer.
  slow: 'exit 124',
  killed: 'kill -KILL $$',
} as const;

async function start(play: keyof typeof plays | 'absent') {
  const directory = await makeTestDirectory('limits');
  const program = join(directory.path, 'apptainer');
  const become = async (now: keyof typeof plays): Promise<void> => {
    const text = `#!/bin/sh\ncase "$*" in\n*--version*) echo apptainer version 1 ;;\n*--memory*probe) ${plays[now]} ;;\n*probe) exit 2 ;;\nesac\n`;
    await writeFile(program, text, { mode: 0o755 });
  };
  if (play !== 'absent') await become(play);
  await writeFile(join(directory.path, 'abaco-start'), 'the helper');
  const options = { ...apptainerDefaults, become: false, program };
  const launcher = await apptainerKind.create('node', options, {
    installationId: 'here',
    dataDir: directory.path,
    nativeDir: directory.path,
    registries: {},
    log: silentLog,
    checkpoint: async () => undefined,
  });
  const script = async (): Promise<string> => {
    const runs = join(directory.path, 'work', 'here', 'run');
    const [run = ''] = await readdir(runs);
    return await readFile(join(runs, run, 'start.sh'), 'utf8');
  };
  return {
    launcher,
    script,
    become,
    async [Symbol.asyncDispose]() {
      await launcher.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

const spec: LaunchSpec = {
  executionId: 'e',
  attempt: 1,
  tenant: 'T',
  actorId: 'a',
  image: { name: 'x', digest: `sha256:${'0'.repeat(64)}`, argv: ['true'] },
  environment: {},
  privileged: false,
  mounts: [],
  limits: { memoryBytes: 2 ** 29, graceMs: 0, logBytes: 1, resultBytes: 1, resultTotalBytes: 1, resultCount: 1 },
  notAfter: new Date(Date.now() + 60_000),
};
const asking = { ...spec, ownLimits: ['mem_limit'] };

describe('limits of a program', () => {
  it('are not known before a probe has asked, and then are what it found', async () => {
    await using absent = await start('absent');
    await absent.launcher.probe(signal);
    expect(absent.launcher.capabilities.resourceLimits).toBeUndefined();
    for (const play of ['limits', 'none'] as const) {
      await using played = await start(play);
      expect(played.launcher.capabilities.resourceLimits).toBeUndefined();
      await played.launcher.probe(signal);
      expect(played.launcher.capabilities.resourceLimits).toBe(play === 'limits');
    }
  });

  it.each(['slow', 'killed'] as const)(
    'stay what they were where a probe was %s, and else there are none',
    async (play) => {
      await using played = await start('limits');
      await played.launcher.probe(signal);
      await played.become(play);
      expect(await played.launcher.probe(signal)).toMatchObject({ ok: true });
      expect(played.launcher.capabilities.resourceLimits).toBe(true);
      await using other = await start(play);
      await other.launcher.probe(signal);
      expect(other.launcher.capabilities.resourceLimits).toBe(false);
    },
  );

  it('are none any more where a probe finds so', async () => {
    await using played = await start('limits');
    await played.launcher.probe(signal);
    await played.become('none');
    await played.launcher.probe(signal);
    expect(played.launcher.capabilities.resourceLimits).toBe(false);
  });

  it('are held from the first launch on, also where no probe came before it', async () => {
    await using played = await start('limits');
    await played.launcher.launch(asking, signal);
    expect(await played.script()).toContain(`--memory ${2 ** 29}`);
  });

  it('are refused by a launch where the host cannot hold what was asked for', async () => {
    await using played = await start('none');
    const refused = await played.launcher.launch(asking, signal).catch((thrown: unknown) => thrown);
    expect(refused).toBeInstanceOf(InvalidError);
    expect(refused).toMatchObject({
      code: 'launcher.rejected',
      message: expect.stringMatching(/^Limits cannot be held: launcher "node" .*; leave "mem_limit" away/),
    });
  });

  it('of the installation are left away where the host cannot hold them', async () => {
    await using played = await start('none');
    await played.launcher.launch(spec, signal);
    expect(await played.script()).not.toContain('--memory');
  });

  it('are no matter where there are none', async () => {
    await using absent = await start('absent');
    const { memoryBytes: _, ...limits } = spec.limits;
    await absent.launcher.launch({ ...spec, limits }, signal);
    expect(await absent.script()).not.toContain('--memory');
  });

  it('keep a launch waiting while nobody can say', async () => {
    await using absent = await start('absent');
    const waiting = await absent.launcher.launch(spec, signal).catch((thrown: unknown) => thrown);
    expect(waiting).toBeInstanceOf(UnavailableError);
    expect(waiting).toMatchObject({ message: expect.stringMatching(/^Launcher "node" cannot say yet .*apptainer/) });
  });
});
