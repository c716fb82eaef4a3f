/** One build of a SIF: its definition, the script that builds it, what it says meanwhile, and how it failed. */

import { LauncherError, UnavailableError } from '../../src/errors.ts';
import { inside, resultsLink } from '../../src/launcher/helper-arguments.ts';
import { pause } from '../../src/lib/backoff.ts';
import { shellLine, shellQuote } from '../../src/lib/shell.ts';
import { lastWords } from '../host/command.ts';
import type { Host } from '../host/host.ts';
import type { Recipe } from './resolve-source.ts';

/**
 * Runs a script of the working directory to its end; there or, as a job, elsewhere. How long that may take is its own
 * matter: a job may wait for days before it starts.
 *
 * @param onWait - told in a few words what it waits for, where it does not run yet.
 * @returns its exit code.
 */
export type RunScript = (script: string, signal: AbortSignal, onWait: (text: string) => void) => Promise<number>;

export interface BuildParts {
  readonly host: Host;
  readonly program: string;
  readonly run: RunScript;
  /** Of the image, for messages. */
  readonly name: string;
  /** A directory of this build alone. */
  readonly work: string;
  readonly recipe: Recipe;
  readonly onLine: (line: string) => void;
  readonly signal: AbortSignal;
}

export const buildFiles = { sif: 'image.sif', log: 'build.log' } as const;

const lookMs = 1_000;
/** Of the end of a log that is read for its last line. */
const tailBytes = 4_000;
/** Of one that is read for the last words of a build that failed: what a registry answered may stand at its end. */
const answerBytes = 100_000;

/** Builds `image.sif` in the working directory. Rejects with `image.invalid`, or `UnavailableError` when trouble may pass. */
export async function buildSif(parts: BuildParts): Promise<void> {
  const { host, work, recipe, signal } = parts;
  await host.put(`${work}/definition`, Buffer.from(renderDefinition(recipe)));
  const account = renderAccount(recipe);
  if (account !== undefined) await host.put(`${work}/account.json`, Buffer.from(account));
  const script = `${work}/build.sh`;
  await host.put(script, Buffer.from(renderBuildScript(parts.program, work, recipe)), { mode: 0o700 });
  const ended = new AbortController();
  const telling = tellLines(parts, ended.signal);
  let exitCode: number;
  try {
    exitCode = await parts.run(script, signal, parts.onLine);
  } finally {
    ended.abort();
    await telling;
  }
  if (exitCode === 0) return;
  const log = await readTail(host, `${work}/${buildFiles.log}`, answerBytes);
  throw failureOf(parts.name, exitCode, log, tellable(log, recipe));
}

/** The names are checked ones, and paths are ours, so none of them can say anything else to the reader of definitions. */
export function renderDefinition({ bootstrap, from }: Recipe): string {
  return [
    `Bootstrap: ${bootstrap}`,
    `From: ${from}`,
    '',
    '%setup',
    // The one link that no mount can be: what it leads to is made after the mounts.
    `    ln -sf ${resultsLink.target} "$APPTAINER_ROOTFS${resultsLink.path}"`,
    `    mkdir -p ${[inside.bin, inside.run, inside.ledger].map((path) => `"$APPTAINER_ROOTFS${path}"`).join(' ')}`,
    `    touch "$APPTAINER_ROOTFS${inside.binaryMessage}"`,
    '',
  ].join('\n');
}

/** As `docker login` keeps it, in a file that nobody else reads: neither in a line of arguments nor in an environment. */
export function renderAccount({ registry, access }: Recipe): string | undefined {
  if (!access?.username || registry === undefined) return undefined;
  const auth = Buffer.from(`${access.username}:${access.password}`).toString('base64');
  const names = registry === 'docker.io' ? ['https://index.docker.io/v1/', registry] : [registry];
  return JSON.stringify({ auths: Object.fromEntries(names.map((name) => [name, { auth }])) });
}

function renderBuildScript(program: string, work: string, recipe: Recipe): string {
  const flags = [
    ...(recipe.access?.insecure === true ? ['--no-https'] : []),
    ...(renderAccount(recipe) === undefined ? [] : ['--authfile', `${work}/account.json`]),
  ];
  const argv = [program, 'build', '--force', ...flags, `${work}/${buildFiles.sif}`, `${work}/definition`];
  return `#!/bin/sh
umask 022
exec >>${shellQuote(`${work}/${buildFiles.log}`)} 2>&1 </dev/null
cd ${shellQuote(work)} || exit
APPTAINER_TMPDIR=${shellQuote(work)} APPTAINER_CACHEDIR=${shellQuote(`${work}/cache`)} NO_COLOR=1
export APPTAINER_TMPDIR APPTAINER_CACHEDIR NO_COLOR
echo "building on $(cat /proc/sys/kernel/hostname)"
exec ${shellLine(argv)}
`;
}

async function tellLines({ host, work, recipe, onLine }: BuildParts, ended: AbortSignal): Promise<void> {
  while (!ended.aborted) {
    await pause(lookMs, ended);
    const log = await readTail(host, `${work}/${buildFiles.log}`, tailBytes).catch(() => '');
    const line = lastLine(tellable(log, recipe));
    if (line !== '' && !ended.aborted) onLine(line);
  }
}

async function readTail(host: Host, path: string, bytes: number): Promise<string> {
  const [whole] = await host.readMany([{ path, offset: 0, length: 0 }]);
  if (!whole) return '';
  const [part] = await host.readMany([{ path, offset: Math.max(0, whole.size - bytes), length: bytes }]);
  return Buffer.from(part?.bytes ?? []).toString();
}

const colour = new RegExp(`${String.fromCodePoint(27)}\\[[0-9;?]*[A-Za-z]`, 'g');

/** What a reader of a terminal would see last: colours are none, and what a line was written over with is gone. */
export function lastLine(text: string): string {
  const plain = text.replaceAll(colour, '');
  const lines = plain.split(/[\r\n]+/).map((line) => line.trim());
  return lines.findLast((line) => line !== '')?.slice(0, 200) ?? '';
}

/** A registry that the configuration does not name may lead to a server within, whose answers are not for users. */
function tellable(log: string, { registry, access }: Recipe): string {
  return registry === undefined || access !== undefined ? log : withoutAnswers(log);
}

/** A call of a registry, what came of it in words of Apptainer or a code of OCI, and what was answered. */
const failedCall = /\b([A-Z]+ https?:\/\/\S+): (unexpected status code \d{3}(?: [A-Za-z' -]+)?|[A-Z_]+(?=:))?.*$/s;

/** What Apptainer says itself; of calls of registries what came of them, and not what they answered. Pure. */
export function withoutAnswers(log: string): string {
  const lines = log.replaceAll(colour, '').split('\n');
  return lines
    .filter((line) => /^(?:INFO|WARNING|ERROR|FATAL): /.test(line))
    .map((line) => line.replace(failedCall, (_, call: string, outcome = 'it failed') => `${call}: ${outcome}`))
    .join('\n');
}

/** What the build says where it is not the image's fault. */
const noSpace = /no space left|disk quota exceeded/i;
const noNetwork = /i\/o timeout|connection (?:refused|reset)|no such host|TLS handshake timeout|(?:502|503|504) /i;

/** @param told - what of the log users may read. */
export function failureOf(name: string, exitCode: number, log: string, told = log): Error {
  if (noSpace.test(log)) {
    return new UnavailableError(
      'launcher.disk_full',
      `Image "${name}" was not built: the disk is full, or a quota is used up`,
    );
  }
  const said = lastWords(told, 2_000);
  // As a shell tells of a signal; Apptainer itself ends with 255.
  if (exitCode > 128 && exitCode < 193) {
    const message = `The build of image "${name}" was ended by signal ${exitCode - 128}: ${said}`;
    return new UnavailableError('launcher.unavailable', message);
  }
  if (noNetwork.test(log)) {
    return new UnavailableError(
      'image.registry_unavailable',
      `Image "${name}" could not be fetched for its build: ${said}`,
    );
  }
  return new LauncherError('image.invalid', `Image "${name}" could not be built for this cluster: ${said}`);
}
