/** Whether Apptainer would run programs here now, and what is wrong if not. */

import { asError, ServiceError } from '../../src/errors.ts';
import type { LauncherHealth } from '../../src/launcher/launcher.ts';
import { type Command, expectSuccess, lastWords } from '../host/command.ts';
import { installFile } from '../host/install-file.ts';
import type { ApptainerOptions } from './apptainer-options.ts';
import type { Places } from './places.ts';

type Check = LauncherHealth['checks'][number];

export interface ProbeOptions {
  readonly places: Places;
  readonly options: ApptainerOptions;
  readonly nativeDir: string;
  readonly signal: AbortSignal;
}

export interface Probed {
  readonly health: LauncherHealth;
  /** Whether Apptainer can keep programs within limits of memory, processors and processes; nothing where it could not be asked. */
  readonly limits: boolean | undefined;
}

/** What Apptainer wants to mount something on. */
const rootParts = ['dev', 'proc', 'sys', 'tmp', 'var/tmp', 'etc', 'root'];

export async function probePlace({ places, options, nativeDir, signal }: ProbeOptions): Promise<Probed> {
  const { service, directory } = places;
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
  let limits: boolean | undefined;
  const reached = await check('host', async () => await service.run(firstLine('uname', ['uname', '-n']), signal));
  if (reached) {
    await check('agent', async () => places.describe());
    const root = `${directory}/probe`;
    const placed = await check('directory', async () => {
      for (const part of rootParts) await service.makeDirectory(`${root}/${part}`, 0o755);
      await installFile(service, `${root}/abaco-start`, `${nativeDir}/abaco-start`, 0o755);
      return directory;
    });
    const version = firstLine('apptainer', [options.program, '--version']);
    const found = await check('apptainer', async () => await service.run(version, signal));
    if (placed && found) {
      await check('container', async () => {
        await service.run(tryCommand(options.program, root, []), signal);
        return 'a program was run in one';
      });
      limits = await canLimit(places, options.program, root, signal, checks);
    }
  }
  const wrong = checks.find(({ ok }) => !ok);
  const apptainer = checks.find(({ name }) => name === 'apptainer')?.detail ?? '';
  const detail = wrong ? `${wrong.name}: ${wrong.detail}` : `${apptainer} on ${options.host || 'this machine'}`;
  return { health: { ok: wrong === undefined, detail, checks }, limits };
}

/** No fault where it cannot: actors that ask for limits are refused then, and all others run. */
async function canLimit(
  { service }: Places,
  program: string,
  root: string,
  signal: AbortSignal,
  checks: Check[],
): Promise<boolean | undefined> {
  try {
    const command = tryCommand(program, root, ['--memory', '67108864', '--cpus', '0.5', '--pids-limit', '50']);
    // A systemd that does not answer cannot limit anything; a host that does not may yet be found to.
    await service.run({ ...command, argv: ['timeout', '20', ...command.argv] }, signal);
    checks.push({ name: 'limits', ok: true, detail: 'memory, processors and processes can be limited' });
    return true;
  } catch (thrown) {
    const why = asError(thrown).message;
    if (thrown instanceof ServiceError) {
      checks.push({ name: 'limits', ok: true, detail: `not known yet whether there are any: ${why}` });
      return undefined;
    }
    checks.push({
      name: 'limits',
      ok: true,
      detail: `none here, so that actors with a limit of memory or processors are refused: ${why}`,
    });
    return false;
  }
}

function firstLine(what: string, argv: readonly [string, ...string[]]): Command<string> {
  const succeed = expectSuccess(what);
  return { argv, timeoutMs: 20_000, parse: (result) => succeed(result).trim().split('\n')[0] ?? '' };
}

/** Exit code of the helper for a use it does not have: it was run. */
const usage = 2;

/** A directory with nothing but our helper is image enough. */
function tryCommand(program: string, root: string, flags: readonly string[]): Command<void> {
  const isolated = ['--cleanenv', '--containall', '--no-home', '--no-mount', 'home,cwd,bind-paths'];
  return {
    argv: [program, '--silent', 'exec', ...isolated, ...flags, root, '/abaco-start', 'probe'],
    timeoutMs: 30_000,
    parse({ exitCode, stderr, stdout }) {
      if (exitCode === usage) return;
      throw new Error(lastWords(stderr || stdout));
    },
  };
}
