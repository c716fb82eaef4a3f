/** Whether Apptainer would run programs here now, and what is wrong if not. */

import { asError } from '../../src/errors.ts';
import type { LauncherHealth } from '../../src/launcher/launcher.ts';
import { type Command, type CommandResult, expectSuccess, lastWords } from '../host/command.ts';
import { installFile } from '../host/install-file.ts';
import type { ApptainerOptions } from './apptainer-options.ts';
import type { Places } from './places.ts';

type Check = LauncherHealth['checks'][number];

export interface ProbeOptions {
  readonly places: Places;
  readonly options: ApptainerOptions;
  readonly nativeDir: string;
  /** What an earlier probe has found of limits. */
  readonly knownLimits: boolean | undefined;
  readonly signal: AbortSignal;
}

export interface Probed {
  readonly health: LauncherHealth;
  /** Whether Apptainer can keep programs within limits of memory, processors and processes; nothing where it could not be asked. */
  readonly limits: boolean | undefined;
}

/** What Apptainer wants to mount something on. */
const rootParts = ['dev', 'proc', 'sys', 'tmp', 'var/tmp', 'etc', 'root'];

export async function probePlace({ places, options, nativeDir, knownLimits, signal }: ProbeOptions): Promise<Probed> {
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
      limits = await canLimit(places, options.program, root, { knownLimits, signal, checks });
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
  { knownLimits, signal, checks }: Pick<ProbeOptions, 'knownLimits' | 'signal'> & { readonly checks: Check[] },
): Promise<boolean | undefined> {
  const command = tryCommand(program, root, ['--memory', '67108864', '--cpus', '0.5', '--pids-limit', '50']);
  const argv = ['timeout', '20', ...command.argv] as const;
  try {
    const result = await service.run({ ...command, argv, parse: (ended) => ended }, signal);
    const { limits, detail } = judgeLimits(result, knownLimits);
    checks.push({ name: 'limits', ok: true, detail });
    return limits;
  } catch (thrown) {
    const why = asError(thrown).message;
    checks.push({ name: 'limits', ok: true, detail: `not known yet whether there are any: ${why}` });
    return undefined;
  }
}

/**
 * A systemd that never answers cannot limit anything; one that has may do so again, so a try that did not come to its end
 * takes back nothing.
 */
function judgeLimits({ exitCode, stdout, stderr }: CommandResult, known: boolean | undefined) {
  if (exitCode === usage) return { limits: true, detail: 'memory, processors and processes can be limited' };
  const why = lastWords(stderr || stdout);
  if (isCutShort(exitCode) && known === true) return { limits: true, detail: `found before, and not now: ${why}` };
  const detail = `none here, so that actors with a limit of memory or processors are refused: ${why}`;
  return { limits: false, detail };
}

/** By a signal, also as a shell tells of one, or by timeout(1); Apptainer itself ends with 255. */
function isCutShort(exitCode: number | null): boolean {
  return exitCode === null || exitCode === 124 || (exitCode > 128 && exitCode < 193);
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
