/**
 * Sends the messages of schedules. Any number of supervisors may look at the same actor at the same time: the message of a
 * time is stored once, by the number of its hour, and the schedule is moved on from the time that was read.
 */

import type { Actor } from '../actors/actor.ts';
import type { ActorStore } from '../actors/actor-store.ts';
import { parseHour, parseSchedule, planDue } from '../actors/schedule.ts';
import type { Clock } from '../lib/clock.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import type { Logger } from '../observability/logger.ts';

export type ScheduleCheckPoint = 'schedule-before-post' | 'schedule-after-post';

export interface Scheduler {
  /** Sends what is due, and moves the schedule on. */
  look(actor: Actor): Promise<void>;
}

export interface SchedulerOptions {
  readonly actors: Pick<ActorStore, 'advanceSchedule'>;
  readonly mailbox: Pick<Mailbox, 'postCaused'>;
  readonly nextExecutionId: () => string;
  readonly clock: Clock;
  readonly checkpoint: (point: ScheduleCheckPoint) => Promise<void>;
  readonly log: Logger;
}

const hourMs = 3_600_000;

export const scheduleMessage = 'This is your cron execution';
export const scheduleExecutor = 'cron';

export function createScheduler(options: SchedulerOptions): Scheduler {
  const { mailbox, actors, clock, log } = options;

  /** @returns whether the schedule can move on. */
  async function send(actor: Actor, due: Date): Promise<boolean> {
    const ref = { tenant: actor.tenant, actorId: actor.id };
    await options.checkpoint('schedule-before-post');
    const outcome = await mailbox.postCaused(ref, {
      executionId: options.nextExecutionId(),
      message: {
        contentType: 'str',
        body: { inline: Buffer.from(scheduleMessage) },
        // A number without a meaning in the original; here when it was sent, in seconds.
        environment: { Time_msg_queued: String(clock.now().getTime() / 1_000) },
        executor: scheduleExecutor,
        cause: 'schedule',
      },
      cause: { name: 'schedule', number: due.getTime() / hourMs },
      via: [],
    });
    await options.checkpoint('schedule-after-post');
    if (outcome === 'full') log.debug(ref, 'scheduled message waits: the mailbox is full');
    return outcome !== 'full' && outcome !== 'used-id';
  }

  return {
    async look(actor) {
      const { cronSchedule, cronNextEx } = actor;
      const nextEx = parseHour(cronNextEx ?? '');
      if (cronSchedule === null || !nextEx) return;
      const plan = planDue(parseSchedule(cronSchedule), nextEx, clock.now());
      if (!plan) return;
      if (actor.cronOn && !(await send(actor, plan.due))) return;
      await actors.advanceSchedule(actor, plan.next);
    },
  };
}
