/** Whatever a message holds reaches its program on a node as it is, through a real sbatch script. */

import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LaunchSpec } from '../../../src/launcher/launcher.ts';
import { canRunCluster } from '../../support/cluster.ts';
import { useSlurm } from '../../support/slurm-suite.ts';

const caseMs = 240_000;
const count = 12;

/** Anything but NUL, which neither a word nor a variable can hold; half of it what shells and Slurm make something of. */
const text = fc
  .oneof(
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.string({ unit: fc.constantFrom(...Array.from('\'"\\$`!*?~#&;|<>(){}[]= \t\n-a%')), maxLength: 20 }),
  )
  .map((each) => each.replaceAll('\0', '').toWellFormed());

const nasty = [
  '',
  "it's",
  '"',
  '$(touch /lustre/evil)',
  '`touch /lustre/evil`',
  '\n#SBATCH --uid=0\n',
  '%j %a \\',
  '-n',
  ' x ',
];

describe.runIf(await canRunCluster())('what a message holds', () => {
  const slurm = useSlurm();

  /** Its words and its variable, each followed by NUL. */
  const show = ['sh', '-c', `for word; do printf '%s\\0' "$word"; done; printf '%s\\0' "$VALUE"`, 'show'];

  async function shown(words: readonly string[], changes: Partial<LaunchSpec>): Promise<readonly string[]> {
    const { end, output } = await slurm.finish(await slurm.launch([...show, ...words], changes), 200_000);
    expect(end).toMatchObject({ kind: 'exited', exitCode: 0 });
    return output.log.split('\0').slice(0, -1);
  }

  it(
    'reaches its program unchanged, whatever it is',
    async () => {
      const samples = fc.sample(fc.record({ words: fc.array(text, { maxLength: 4 }), value: text }), count);
      const all = [...samples, ...nasty.map((value) => ({ words: nasty, value }))];
      const told = await Promise.all(
        all.map(async ({ words, value }) => await shown(words, { environment: { VALUE: value } })),
      );
      expect(told).toEqual(all.map(({ words, value }) => [...words, value]));
      expect(await slurm.asAlice('ls evil 2>/dev/null || true')).toBe('');
    },
    caseMs,
  );

  it(
    'reaches each of several tasks unchanged',
    async () => {
      const value = nasty.join('');
      // In the log the lines of ranks may stand between one another.
      const files = ['told-0', 'told-1'];
      await slurm.asAlice(`rm -f ${files.join(' ')}`);
      const [shell, option, script, name] = show;
      const argv = [shell, option, `{ ${script}; } >"/lustre/told-$SLURM_PROCID"`, name, '$(reboot)', "'"] as string[];
      const handle = await slurm.launch(argv, { environment: { VALUE: value }, resources: { tasks: 2 } });
      expect((await slurm.finish(handle)).end).toMatchObject({ kind: 'exited', exitCode: 0 });
      for (const file of files)
        expect((await slurm.asAlice(`cat ${file}`)).split('\0')).toEqual(['$(reboot)', "'", value, '']);
    },
    caseMs,
  );

  it(
    'may be a variable of a hundred kilobytes',
    async () => {
      const value = 'x"$(y)`z\n'.repeat(11_000);
      expect(await shown([], { environment: { VALUE: value } })).toEqual([value]);
    },
    caseMs,
  );

  it(
    'may be ten megabytes of anything',
    async () => {
      const bytes = randomBytes(10_000_000);
      const handle = await slurm.launch(['sh', '-c', 'busybox sha256sum </_abaco_binary_data'], {
        binaryMessage: {
          bytes: bytes.length,
          open: async function* () {
            yield bytes;
          },
        },
      });
      const { output } = await slurm.finish(handle);
      expect(output.log.split(' ')[0]).toBe(createHash('sha256').update(bytes).digest('hex'));
    },
    caseMs,
  );
});
