/**
 * Whether the account that asks about jobs sees those of all. Slurm answers such a question in any case, and leaves out
 * what it hides: a job would look as if it were gone.
 */

import type { Command } from '../host/command.ts';
import { expectSuccess } from '../host/command.ts';
import type { Host } from '../host/host.ts';
import { pollAsOwners } from './polling.ts';

/** What `scontrol show config` says is hidden from others: "jobs,usage"; empty where nothing is. */
export function parsePrivateData(text: string): readonly string[] {
  const said = /^PrivateData\s*=\s*(\S+)/m.exec(text)?.[1] ?? '';
  return said === 'none' || said === '(null)'
    ? []
    : said
        .toLowerCase()
        .split(',')
        .filter((word) => word !== '');
}

const configCommand: Command<readonly string[]> = {
  argv: ['scontrol', 'show', 'config'],
  timeoutMs: 20_000,
  parse: (result) => parsePrivateData(expectSuccess('scontrol')(result)),
};

/** "None", "Operator" or "Administrator"; the last two see everything (sacctmgr(1)). */
function levelCommand(account: string): Command<string> {
  const succeed = expectSuccess('sacctmgr');
  return {
    argv: ['sacctmgr', '--noheader', '--parsable2', 'show', 'user', `name=${account}`, 'format=AdminLevel'],
    timeoutMs: 20_000,
    parse: (result) => succeed(result).trim().split('\n')[0] ?? '',
  };
}

/** @returns what there is to say. @throws where jobs would not be seen. */
export async function probePolling(host: Host | undefined, service: Host, signal: AbortSignal): Promise<string> {
  const hidden = await service.run(configCommand, signal);
  if (!host) return `asks as each user who has jobs, one question per user and interval; ${describeHidden(hidden)}`;
  const id = await host.run(whoCommand, signal);
  if (!hidden.includes('jobs') || id === 'root' || id === 'slurm') {
    return `"${id}" asks for the jobs of all; ${describeHidden(hidden)}`;
  }
  const level = await host.run(levelCommand(id), signal).catch(() => '');
  if (/^(?:Operator|Administrator)$/i.test(level)) return `"${id}" asks, and sees the jobs of all as ${level}`;
  const way = `"sacctmgr modify user ${id} set adminlevel=operator"`;
  throw new Error(
    `Jobs are hidden from "${id}" (PrivateData=${hidden.join(',')}): make it an operator by ${way}, name another account in "poll_as", or set that to "${pollAsOwners}"`,
  );
}

const whoCommand: Command<string> = {
  argv: ['id', '-un'],
  timeoutMs: 20_000,
  parse: (result) => expectSuccess('id')(result).trim(),
};

function describeHidden(hidden: readonly string[]): string {
  return hidden.includes('jobs') ? 'jobs are hidden from other users' : 'jobs are shown to everybody';
}
