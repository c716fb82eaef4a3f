/** The one program that sudo lets the service account run as others, and the line that allows it. */

import type { CommandResult } from './command.ts';
import type { Host } from './host.ts';
import type { HostOptions } from './host-options.ts';

/** Where the agent is installed; also by users whose keys are kept, who find it there. */
export function agentDirectory({ directory }: Pick<HostOptions, 'directory'>): string {
  return `${directory}/agent`;
}

export function wrapperOf(options: Pick<HostOptions, 'directory'>): string {
  return `${agentDirectory(options)}/abaco-agent`;
}

/**
 * For a file of sudoers(5). The empty word says that the program takes no arguments, so that nothing can be asked of it
 * but what the agent does as that user.
 *
 * @param group - whose members it may become: `%users` is a group of the system.
 */
export function sudoersLine(options: Pick<HostOptions, 'directory' | 'user'>, group: string): string {
  return `${options.user} ALL=(%${group}) NOPASSWD: ${escapeForSudoers(wrapperOf(options))} ""`;
}

/** As sudoers(5) wants what means something there. */
function escapeForSudoers(path: string): string {
  return path.replaceAll(/[,:=\\ *?[\]!]/g, String.raw`\$&`);
}

/**
 * Whether nobody but the service account can change what sudo runs: the program and the directories of ours that lead
 * to it. Throws an `Error` that names what is wrong.
 */
export async function checkWrapper(host: Host, options: HostOptions, signal: AbortSignal): Promise<string> {
  const paths = [options.directory, agentDirectory(options), wrapperOf(options)];
  const parse = ({ stdout }: CommandResult): string[] => stdout.split('\n');
  const facts = await host.run({ argv: ['stat', '-c', '%U %a %n', '--', ...paths], parse }, signal);
  const wrong = paths.flatMap((path) => {
    const [owner, mode = ''] = facts.find((line) => line.endsWith(` ${path}`))?.split(' ') ?? [];
    if (owner === undefined) return [`${path} is not there`];
    if (owner !== options.user && owner !== 'root') return [`${path} belongs to ${owner}`];
    const writable = (Number.parseInt(mode, 8) & 0o022) !== 0;
    return writable ? [`others can write to ${path} (mode ${mode})`] : [];
  });
  if (wrong.length === 0) return `${wrapperOf(options)} is ${options.user}'s alone to change`;
  const help = `make all of it ${options.user}'s, with "chmod go-w"`;
  throw new Error(`whoever can change it runs programs as your users: ${wrong.join('; ')}; ${help}`);
}
