/**
 * What Slurm is asked about jobs. The accounting answers in JSON, or in columns where `sacct` has no JSON: versions differ,
 * and packages without the plugin for it are common. Which it is is found out by the first question.
 */

import { asError, LauncherError } from '../../src/errors.ts';
import type { Command, CommandResult } from '../host/command.ts';
import type { Host } from '../host/host.ts';
import { type AccountingQuestion, sacctCommand } from './commands/sacct.ts';
import { sacctTextCommand } from './commands/sacct-text.ts';
import { squeueCommand } from './commands/squeue.ts';
import type { JobRecord } from './job-record.ts';

export interface SlurmAnswer {
  readonly jobs: readonly JobRecord[];
  /** What Slurm said where it wants to be asked less often. */
  readonly slowed?: string;
}

export interface QueueAnswer extends SlurmAnswer {
  /** Users whom Slurm could not look up just now: of their jobs it has said nothing. */
  readonly unknown: readonly string[];
}

export interface SlurmQueries {
  /** All jobs of these users that wait, run, or ended a short while ago. */
  queue(users: readonly string[], signal: AbortSignal): Promise<QueueAnswer>;
  /** What the accounting knows of these. Of a cluster without accounting, nothing. */
  accounting(question: AccountingQuestion, signal: AbortSignal): Promise<SlurmAnswer>;
  /** False for a while after `sacct` has said that there is none. */
  readonly hasAccounting: boolean;
}

/** It is also what `sacct` says while the configuration is another for a moment, and a site may set one up. */
const believedMs = 600_000;

export function createSlurmQueries(host: Host): SlurmQueries {
  let form: 'unknown' | 'json' | 'text' = 'unknown';
  let deniedAtMs = Number.NEGATIVE_INFINITY;
  const hasAccounting = (): boolean => Date.now() - deniedAtMs >= believedMs;

  async function askAccounting(question: AccountingQuestion, signal: AbortSignal): Promise<SlurmAnswer> {
    if (form !== 'text') {
      const answer = await host.run(orNoJson(sacctCommand(question), form === 'json'), signal);
      if (answer !== 'no-json') {
        form = 'json';
        return answer;
      }
    }
    const answer = await host.run(noticeSlowing(sacctTextCommand(question)), signal);
    form = 'text';
    return answer;
  }

  return {
    get hasAccounting() {
      return hasAccounting();
    },
    queue: async (users, signal) => await host.run(noticeUnknown(noticeSlowing(squeueCommand(users))), signal),
    async accounting(question, signal) {
      if (!hasAccounting()) return { jobs: [] };
      try {
        return await askAccounting(question, signal);
      } catch (thrown) {
        if (!/accounting storage is disabled/i.test(asError(thrown).message)) throw thrown;
        deniedAtMs = Date.now();
        return { jobs: [] };
      }
    },
  };
}

/** What `sacct` says that was built without JSON, or is too old for it. */
const noJson = /unrecognized option|invalid option|serializer|json.*(?:plugin|support)|(?:plugin|support).*json/i;

/** @param isSure - it has answered in JSON before, so that what is broken now is broken and not missing. */
function orNoJson(command: Command<readonly JobRecord[]>, isSure: boolean): Command<SlurmAnswer | 'no-json'> {
  const noticing = noticeSlowing(command);
  return {
    ...noticing,
    parse(result) {
      if (!isSure && result.exitCode !== 0 && noJson.test(result.stderr)) return 'no-json';
      try {
        return noticing.parse(result);
      } catch (thrown) {
        if (!isSure && result.exitCode === 0 && thrown instanceof LauncherError) return 'no-json';
        throw thrown;
      }
    },
  };
}

/** "RPC rate limited 2 time(s). Sleeping then trying again." (slurm.conf(5), "rl_enable") */
const slowing = /\brate.?limit/i;

function noticeSlowing(command: Command<readonly JobRecord[]>): Command<SlurmAnswer> {
  return {
    ...command,
    parse(result: CommandResult) {
      const jobs = command.parse(result);
      const slowed = result.stderr.split('\n').find((line) => slowing.test(line));
      return slowed === undefined ? { jobs } : { jobs, slowed: slowed.trim() };
    },
  };
}

/** "squeue: error: Invalid user: alice": it goes on without that user, and ends with 0. */
function noticeUnknown(command: Command<SlurmAnswer>): Command<QueueAnswer> {
  return {
    ...command,
    parse(result: CommandResult) {
      const unknown = [...result.stderr.matchAll(/invalid user: *(\S+)/gi)].flatMap(([, user]) => user ?? []);
      return { ...command.parse(result), unknown };
    },
  };
}
