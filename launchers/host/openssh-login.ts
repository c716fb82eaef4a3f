/**
 * A login that a person made: one `ssh` of OpenSSH stays connected, and others go through it by its socket
 * (ControlMaster). So a site's one-time codes, certificates and ssh_config are OpenSSH's matter, answered once.
 *
 * The socket is called by a relative name from its own directory: how long the path of the data directory is does not
 * matter then, where an address of a socket takes 108 bytes. The directory is this account's alone, and so is the login.
 */

import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asError, UnavailableError } from '../../src/errors.ts';
import { shellQuote } from '../../src/lib/shell.ts';
import { renderSshConfig, type SshConfigOptions } from './render-ssh-config.ts';
import { runProgram } from './run-program.ts';
import { spawnPiped } from './spawn-piped.ts';
import { unavailable } from './ssh-connection.ts';

export interface OpensshLoginOptions extends SshConfigOptions {
  /** Name of the launcher, as in "abaco clusters login NAME". */
  readonly launcher: string;
  /** Made where it is not there. */
  readonly directory: string;
  /** The login ends after so long without anybody who uses it. */
  readonly idleMs: number;
}

export interface OpensshLogin {
  readonly name: string;
  readonly host: string;
  readonly user: string;
  readonly directory: string;
  /** Process id of the `ssh` that holds the login; nothing while there is none. */
  check(signal: AbortSignal): Promise<number | undefined>;
  /** What makes the login: to be run in a terminal, from `directory`. It ends with 0 once it stands. */
  prepare(): readonly [string, ...string[]];
  /** Ends it, and all that goes through it. @returns whether there was one. */
  end(signal: AbortSignal): Promise<boolean>;
  /** Arguments of an `ssh` that runs `line` through the login, and never makes one of its own. */
  through(line: string): readonly [string, ...string[]];
  needed(): UnavailableError;
  /** Where to look when a login did not come about; may be empty. */
  readonly hint: string;
}

const socket = './master';

/** For a moment the ssh that stays behind still belongs to the terminal, which is hung up when the first one ends. */
const deaf = ['sh', '-c', 'trap "" HUP; exec "$@"', 'sh'] as const;

const never = ['ControlMaster=no', 'ProxyCommand=false', 'BatchMode=yes', 'LogLevel=ERROR'].flatMap((one) => [
  '-o',
  one,
]);

export function createOpensshLogin(options: OpensshLoginOptions): OpensshLogin {
  const { directory, launcher, target } = options;
  const name = `${target.user}@${target.host}`;
  const config = join(directory, 'config');

  async function control(command: 'check' | 'exit', signal: AbortSignal): Promise<string | undefined> {
    if (statSync(join(directory, socket), { throwIfNoEntry: false }) === undefined) return undefined;
    const argv = ['env', '-C', directory, 'ssh', '-F', 'none', '-S', socket, '-O', command, '--', target.host] as const;
    const { exitCode, stderr, stdout } = await runProgram(name, { argv, timeoutMs: 10_000 }, signal).catch(
      (thrown: unknown) => {
        // It is only asked, on this machine.
        throw unavailable(name, `its login does not answer: ${asError(thrown).message}`, thrown);
      },
    );
    return exitCode === 0 ? stdout + stderr : undefined;
  }

  async function check(signal: AbortSignal): Promise<number | undefined> {
    const said = await control('check', signal);
    return said === undefined ? undefined : Number(/pid=(\d+)/.exec(said)?.[1] ?? 0);
  }

  return {
    name,
    host: target.host,
    user: target.user,
    directory,
    check,
    prepare() {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      // What a master that was killed leaves behind; another would not listen beside it.
      rmSync(join(directory, socket), { force: true });
      writeFileSync(config, renderSshConfig(options), { mode: 0o600 });
      const persist = `ControlPersist=${Math.max(1, Math.round(options.idleMs / 1_000))}`;
      return [...deaf, 'ssh', '-F', config, '-N', '-M', '-S', socket, '-o', persist, '--', target.host];
    },
    end: async (signal) => (await control('exit', signal)) !== undefined,
    // Where the socket is gone, ssh would connect by itself: the command that does nothing ends it instead.
    through: (line) => ['ssh', '-F', 'none', '-S', socket, '-T', ...never, '--', target.host, line],
    // OpenSSH shows nothing of what is said on the way to a login that is to stay.
    hint:
      target.jumps.length === 0 ? '' : `; what hosts on the way say shows "ssh -F ${shellQuote(config)} abaco-jump-1"`,
    needed() {
      const message = `Host ${name} needs a login: nobody has logged in to it, or the login has ended`;
      const next = `Type "abaco clusters login ${launcher}" on the machine of the service; all goes on by itself then`;
      return new UnavailableError('host.needs_login', message, { next });
    },
  };
}

/** One `ssh` through the login. In a group of its own: a Ctrl-C is for the service, which drains first. */
export function spawnThrough(login: OpensshLogin, line: string) {
  const [program, ...args] = login.through(line);
  return spawnPiped(program, args, { cwd: login.directory, detached: true });
}
