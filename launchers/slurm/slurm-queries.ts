/**
 * What Slurm is asked about jobs, in JSON, or in columns where its commands have no JSON: versions differ, and packages
 * without the plugin for it are common. Which it is is found out by the first question, for `squeue` and `sacct` each.
 */

import { asError, LauncherError } from '../../src/errors.ts';
import type { Command, CommandResult } from '../host/command.ts';
import type { Host } from '../host/host.ts';
import { type AccountingQuestion, sacctCommand } from './commands/sacct.ts';
import { sacctTextCommand } from './commands/sacct-text.ts';
import { squeueCommand } from './commands/squeue.ts';
import { squeueTextCommand } from './commands/squeue-text.ts';
import type { JobRecord } from './job-record.ts';

export interface SlurmAnswer {
  readonly jobs: readonly JobRecord[];
  /** What Slurm said where it wants to be asked less often. */
  readonly slowed?: string;
}

export interface SlurmQueries {
  /** All jobs of these users that wait, run, or ended a short while ago. */
  queue(users: readonly string[], signal: AbortSignal): Promise<SlurmAnswer>;
  /** What the accounting knows of these. Of a cluster without accounting, nothing. */
  accounting(question: AccountingQuestion, signal: AbortSignal): Promise<SlurmAnswer>;
  /** False once `sacct` has said that there is none. */
  readonly hasAccounting: boolean;
}

interface Form<Q> {
  readonly json: (question: Q) => Command<readonly JobRecord[]>;
  readonly text: (question: Q) => Command<readonly JobRecord[]>;
  is: 'unknown' | 'json' | 'text';
}

export function createSlurmQueries(host: Host): SlurmQueries {
  const queue: Form<readonly string[]> = { json: squeueCommand, text: squeueTextCommand, is: 'unknown' };
  const accounting: Form<AccountingQuestion> = { json: sacctCommand, text: sacctTextCommand, is: 'unknown' };
  let hasAccounting = true;

  async function ask<Q>(form: Form<Q>, question: Q, signal: AbortSignal): Promise<SlurmAnswer> {
    if (form.is !== 'text') {
      const answer = await host.run(orNoJson(form.json(question), form.is === 'json'), signal);
      if (answer !== 'no-json') {
        form.is = 'json';
        return answer;
      }
    }
    const answer = await host.run(noticeSlowing(form.text(question)), signal);
    form.is = 'text';
    return answer;
  }

  return {
    get hasAccounting() {
      return hasAccounting;
    },
    queue: async (users, signal) => await ask(queue, users, signal),
    async accounting(question, signal) {
      if (!hasAccounting) return { jobs: [] };
      try {
        return await ask(accounting, question, signal);
      } catch (thrown) {
        if (!/accounting storage is disabled/i.test(asError(thrown).message)) throw thrown;
        hasAccounting = false;
        return { jobs: [] };
      }
    },
  };
}

/** What commands say that were built without JSON, or are too old for it. */
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
