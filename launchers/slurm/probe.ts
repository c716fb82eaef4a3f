/** Whether a cluster would take work now, and what is wrong if not. */

import { asError, LauncherError, ServiceError } from '../../src/errors.ts';
import type { LauncherHealth } from '../../src/launcher/launcher.ts';
import { optional } from '../../src/lib/optional.ts';
import { type Command, expectSuccess } from '../host/command.ts';
import type { HostPool } from '../host/host-pool.ts';
import { checkWrapper } from '../host/sudo-rule.ts';
import { pollingHost } from './polling.ts';
import { probePolling } from './probe-polling.ts';
import type { SlurmOptions } from './slurm-options.ts';

type Check = LauncherHealth['checks'][number];

function version(what: string, argv: readonly [string, ...string[]]): Command<string> {
  const succeed = expectSuccess(what);
  return { argv, timeoutMs: 20_000, parse: (result) => succeed(result).trim().split('\n')[0] ?? '' };
}

export async function probeCluster(
  pool: HostPool,
  options: SlurmOptions,
  signal: AbortSignal,
): Promise<LauncherHealth> {
  const host = pool.service;
  const checks: Check[] = [];
  let next: string | undefined;
  const check = async (name: string, look: () => Promise<string>): Promise<boolean> => {
    try {
      checks.push({ name, ok: true, detail: await look() });
      return true;
    } catch (thrown) {
      if (thrown instanceof ServiceError) next ??= thrown.next;
      checks.push({ name, ok: false, detail: asError(thrown).message });
      return false;
    }
  };
  const reached = await check('login node', async () => await host.run(version('hostname', ['hostname']), signal));
  if (reached) {
    await check('transport', async () => {
      const { mode, transport } = host;
      return `${transport}, ${mode.kind === 'plain' ? `plain, without the agent: ${mode.why}` : 'with the agent'}`;
    });
    await check('users', async () => await lookAtUsers(pool, options, signal));
    await check('slurm', async () => await host.run(version('sinfo', ['sinfo', '--version']), signal));
    await check('controller', async () => await host.run(version('scontrol ping', ['scontrol', 'ping']), signal));
    await check('accounting', async () => {
      await host.run(version('sacct', ['sacct', '-n', '-X', '-S', 'now-1minutes']), signal);
      return 'sacct answers';
    });
    await check('polling', async () => await probePolling(pollingHost(pool, options), host, signal));
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
  return { ok: wrong.length === 0, detail, checks, ...optional('next', next) };
}

/** How programs come to run as their users, and whether that is as it should be. */
async function lookAtUsers(pool: HostPool, options: SlurmOptions, signal: AbortSignal): Promise<string> {
  if (pool.keys) {
    const keys = await pool.keys.list();
    const closed = keys.filter(({ trouble }) => trouble !== undefined);
    const [first] = closed;
    if (first)
      throw new LauncherError('host.key_unreadable', `${closed.length} of ${keys.length} keys: ${first.trouble}`);
    return `with keys of their own, of which there are ${keys.length}`;
  }
  if (!options.become) return `none but "${options.user}" itself`;
  return `by sudo: ${await checkWrapper(pool.service, options, signal)}`;
}
