import { execFile } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderMount } from '../../../../launchers/apptainer/apptainer-command.ts';
import { withReadOnlyTrees } from '../../../../launchers/apptainer/read-only-trees.ts';
import { makeTestDirectory } from '../../../support/test-directory.ts';

const run = promisify(execFile);
/** Says which words it was started with. */
const teller = [process.execPath, '-e', 'process.stdout.write(JSON.stringify(process.argv.slice(1)))', '--'];

/** As the kernel writes it: blank, tab, line end and backslash by their octal numbers. */
function mountTable(points: readonly string[]): string {
  const written = (point: string) =>
    point.replaceAll(/[ \t\n\\]/g, (letter) => `\\${letter.charCodeAt(0).toString(8).padStart(3, '0')}`);
  return points.map((point) => `36 35 98:0 / ${written(point)} rw,noatime - ext3 /dev/root rw\n`).join('');
}

async function wordsFor(
  directory: string,
  points: readonly string[],
  source: string,
  destination: string,
): Promise<readonly string[]> {
  const table = join(directory, 'mountinfo');
  await writeFile(table, mountTable(points));
  const mounts = [{ hostPath: source, containerPath: destination, mode: 'ro' as const }];
  const words = withReadOnlyTrees([...teller, 'an option', 'image.sif', "it's"], teller.length + 1, mounts, table);
  const [program, ...rest] = [...words, '--label', 'x y', '--', '/bin/sh', '-c', 'echo $HOME'];
  return JSON.parse((await run(program, rest)).stdout) as readonly string[];
}

describe('a read-only directory in Apptainer', () => {
  it('has what is mounted below it bound once more, read-only, between the options and the image', async () => {
    await using directory = await makeTestDirectory('trees');
    const real = join(directory.path, 'real');
    const link = join(directory.path, 'link');
    await mkdir(real);
    await symlink(real, link);
    const points = ['/', real, `${real}/a b`, `${real}/a b/c`, `${real}-beside`, '/elsewhere'];
    expect(await wordsFor(directory.path, points, link, '/data')).toEqual([
      'an option',
      '--mount',
      `type=bind,"source=${real}/a b","destination=/data/a b",ro`,
      '--mount',
      `type=bind,"source=${real}/a b/c","destination=/data/a b/c",ro`,
      'image.sif',
      "it's",
      '--label',
      'x y',
      '--',
      '/bin/sh',
      '-c',
      'echo $HOME',
    ]);
  });

  it('starts the line as it is where nothing is mounted below, or the directory is not there', async () => {
    await using directory = await makeTestDirectory('trees');
    const rest = ['an option', 'image.sif', "it's", '--label', 'x y', '--', '/bin/sh', '-c', 'echo $HOME'];
    expect(await wordsFor(directory.path, ['/'], directory.path, '/data')).toEqual(rest);
    expect(await wordsFor(directory.path, ['/'], '/nowhere', '/data')).toEqual(rest);
  });

  it('needs no shell where nothing is read-only', () => {
    const mounts = [{ hostPath: '/a', containerPath: '/a', mode: 'rw' as const }];
    expect(withReadOnlyTrees(['apptainer', 'x.sif'], 1, mounts)).toEqual(['apptainer', 'x.sif']);
  });

  it('keeps any name for a name', async () => {
    await using directory = await makeTestDirectory('trees');
    const letters = fc.constantFrom('a', ' ', '\n', '\t', '\\', "'", '"', ',', '$(reboot)', '`x`', '*', '-', '=', 'ä');
    const name = fc.array(letters, { minLength: 1, maxLength: 6 }).map((all) => all.join(''));
    await fc.assert(
      fc.asyncProperty(name, name, name, async (outer, inner, place) => {
        const source = join(directory.path, `x${outer}`);
        await mkdir(source, { recursive: true });
        const [, flag, mount] = await wordsFor(directory.path, [`${source}/${inner}`], source, `/d/${place}`);
        expect(flag).toBe('--mount');
        expect(unquoted(mount)).toEqual(
          unquoted(renderMount({ hostPath: `${source}/${inner}`, containerPath: `/d/${place}/${inner}`, mode: 'ro' })),
        );
      }),
      { numRuns: 25 },
    );
  }, 60_000);
});

/** The fields of a line of comma-separated values. */
function unquoted(line = ''): readonly string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'),
  );
}
