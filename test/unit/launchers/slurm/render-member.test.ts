import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderMember } from '../../../../launchers/slurm/render-member.ts';
import { makeTestDirectory } from '../../../support/test-directory.ts';

interface Staged {
  /** What each start does, a line of a shell; the last is for all that follow. */
  readonly starts: readonly string[];
  readonly isTaken?: boolean;
  readonly hasMarker?: boolean;
  /** What happens in a pause. */
  readonly pause?: string;
}

/** What is /bin/sh on one cluster or another. */
const shells = [
  ['dash', ['/bin/sh']],
  ['bash', ['/bin/bash', '--norc', '--posix']],
] as const;

/** Runs the script in a real shell, with starts that are staged, and without its pauses. */
async function runIn(
  [shell, ...options]: readonly [string, ...string[]],
  { starts, isTaken = false, hasMarker = true, pause = ':' }: Staged,
) {
  await using scratch = await makeTestDirectory('member');
  const marker = join(scratch.path, "it's the marker");
  if (isTaken) symlinkSync('some-name', marker);
  const told = join(scratch.path, 'told');
  const cases = starts.map((line, index) => `${index === starts.length - 1 ? '*' : index + 1}) ${line} ;;`).join(' ');
  const program = `echo "$*" >>"${told}"; case $(grep -c . "${told}") in ${cases} esac`;
  const script = renderMember({
    before: ['env', `MARKER=${marker}`, '/bin/sh', '-c', program, 'staged', '--label'],
    after: ['--', "a 'word'"],
    ...(hasMarker ? { marker } : {}),
  });
  const environment = {
    PATH: '/usr/bin:/bin',
    SLURM_JOB_ID: '17',
    SLURM_RESTART_COUNT: '2',
    ABACO_JOB_BEGAN: '1700000000',
  };
  const { status, signal } = spawnSync(shell, [...options, '-c', `sleep() { ${pause}; }\n${script}`], {
    env: environment,
  });
  return { status, signal, told: existsSync(told) ? readFileSync(told, 'utf8').trim().split('\n') : [] };
}

const line = "--label 17.2 --began 1700000000 -- a 'word'";
const takeMarker = 'ln -s name "$MARKER"';

describe.each(shells)('the script of an element, in %s', (_shell, words) => {
  const run = async (staged: Staged) => await runIn(words, staged);

  it('gives the start its label and its words, and ends as it does', async () => {
    expect(await run({ starts: [`${takeMarker}; exit 7`] })).toEqual({ status: 7, signal: null, told: [line] });
  });

  it('starts again what could not be started, until it can', async () => {
    const { status, told } = await run({ starts: ['exit 255', 'exit 255', `${takeMarker}; exit 7`] });
    expect({ status, told }).toEqual({ status: 7, told: [line, line, line] });
  });

  it('gives up after three starts', async () => {
    const { status, told } = await run({ starts: ['exit 255'] });
    expect({ status, told }).toEqual({ status: 255, told: [line, line, line] });
  });

  it.each([
    ['the program has started, whoever started it', { starts: [`${takeMarker}; exit 255`] }, 255],
    ['the marker is taken', { starts: ['exit 255'], isTaken: true }, 255],
    ['something else ended it', { starts: ['exit 137'] }, 137],
    ['it was told to end', { starts: ['trap "exit 255" TERM; kill -TERM $PPID; while :; do :; done'] }, 255],
    ['it is told to end while it waits', { starts: ['exit 255'], pause: 'kill -TERM $$' }, 255],
    ['no marker could tell', { starts: ['exit 255'], hasMarker: false }, 255],
  ])('starts nothing again when %s', async (_, staged, code) => {
    const { status, told } = await run(staged);
    expect({ status, told }).toEqual({ status: code, told: [line] });
  });

  it('lives through an order to end, passes it on, and ends as its program does', async () => {
    const { status, signal } = await run({
      starts: [`${takeMarker}; trap "exit 3" TERM; kill -TERM $PPID; while :; do :; done`],
    });
    expect({ status, signal }).toEqual({ status: 3, signal: null });
  });
});
