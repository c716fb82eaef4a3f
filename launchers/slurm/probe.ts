/** Whether a cluster would take work now, and what is wrong if not. */

import { asError } from '../../src/errors.ts';
import type { LauncherHealth } from '../../src/launcher/launcher.ts';
import { type Command, expectSuccess } from '../host/command.ts';
import type { SshHost } from '../host/ssh-host.ts';
import type { SlurmOptions } from './slurm-options.ts';

type Check = LauncherHealth['checks'][number];

function version(what: string, argv: readonly [string, ...string[]]): Command<string> {
  const succeed = expectSuccess(what);
  return { argv, timeoutMs: 20_000, parse: (result) => succeed(result).trim().split('\n')[0] ?? '' };
}

export async function probeCluster(host: SshHost, options: SlurmOptions, signal: AbortSignal): Promise<LauncherHealth> {
  const checks: Check[] = [];
  const check = async (name: string, look: () => Promise<string>): Promise<boolean> => {
    try {
      checks.push({ name, ok: true, detail: await look() });
      return true;
    } catch (thrown) {
      checks.push({ name, ok: false, detail: asError(thrown).message });
      return false;
    }
  };
  const reached = await check('login node', async () => await host.run(version('hostname', ['hostname']), signal));
  if (reached) {
    await check('agent', async () => {
      const { mode } = host;
      return mode.kind === 'plain' ? `does without: ${mode.why}` : 'runs on the login node';
    });
    await check('slurm', async () => await host.run(version('sinfo', ['sinfo', '--version']), signal));
    await check('controller', async () => await host.run(version('scontrol ping', ['scontrol', 'ping']), signal));
    await check('accounting', async () => {
      await host.run(version('sacct', ['sacct', '-n', '-X', '-S', 'now-1minutes']), signal);
      return 'sacct answers';
    });
    await check('apptainer', async () => await host.run(version('apptainer', ['apptainer', '--version']), signal));
    await check('directory', async () => {
      await host.makeDirectory(options.directory, 0o755);
      return options.directory;
    });
  }
  const wrong = checks.filter(({ ok }) => !ok);
  const slurm = checks.find(({ name }) => name === 'slurm')?.detail ?? '';
  const apptainer = checks.find(({ name }) => name === 'apptainer')?.detail ?? '';
  const detail =
    wrong.length === 0 ? `${slurm}, ${apptainer} on ${options.host}` : `${wrong[0]?.name}: ${wrong[0]?.detail}`;
  return { ok: wrong.length === 0, detail, checks };
}
