/** From the description of an actor as a user sends it to settings that can run: every rule of registration, pure. */

import type { Actor, ActorSettings } from '../actors/actor.ts';
import { parseMemory } from '../actors/memory.ts';
import { planFirst } from '../actors/schedule.ts';
import type { Config } from '../config/schema.ts';
import { tenantSettings } from '../config/tenant-settings.ts';
import { InvalidError } from '../errors.ts';
import { webhookProblem } from '../events/webhook.ts';
import { parseImageSource } from '../launcher/image-source.ts';
import { renderText } from './request-fields.ts';
import { readResources } from './resources-field.ts';
import type { ActorRequest } from './schemas/actor.ts';
import { variableProblem } from './variable-problem.ts';

export const whatActor = 'Invalid actor description';

/** Docker's least share of a processor: a hundredth. */
const leastNanoCpus = 10_000_000;

const maxNameLength = 1_024;

/** Throws `InvalidError` at the first rule that is broken. */
export function planActorSettings(request: ActorRequest, config: Config, tenant: string): ActorSettings {
  parseImageSource(request.image ?? '');
  checkName(request.name ?? null);
  checkHints(request.hints ?? []);
  checkWebhook(request.webhook ?? '', config);
  checkWorkers(request);
  checkMemory(request.mem_limit ?? null);
  checkProcessors(request.max_cpus ?? null);
  checkPlace(request, config);
  const environment = request.default_environment ?? {};
  checkEnvironment(environment);
  return {
    name: request.name ?? null,
    image: request.image,
    description: request.description ?? '',
    stateless: request.stateless ?? true,
    type: request.type ?? 'none',
    link: request.link ?? '',
    webhook: request.webhook ?? '',
    token: request.token ?? defaultToken(config, tenant),
    hints: request.hints ?? [],
    privileged: request.privileged ?? false,
    maxWorkers: request.max_workers ?? null,
    memLimit: request.mem_limit ?? null,
    maxCpus: request.max_cpus ?? null,
    useContainerUid: request.use_container_uid ?? false,
    defaultEnvironment: environment,
    queue: request.queue ?? 'default',
    cronSchedule: request.cron_schedule || null,
    cronOn: request.cron_on ?? false,
    logEx: request.log_ex ?? null,
    launcher: request.launcher ?? null,
    resources: readResources(request.resources ?? {}, whatActor),
    ...(request.keep_scratch === true ? { keepScratch: true } : {}),
  };
}

/** The text that the original shows (contract §7.1), or strictly a boolean. */
function defaultToken(config: Config, tenant: string): boolean | string {
  const shown = tenantSettings(config, tenant).defaultToken;
  return shown === 'boolean' ? false : shown;
}

type ScheduleSettings = Pick<Actor, 'cronSchedule' | 'cronOn' | 'cronNextEx'>;

/**
 * When a schedule is due, and whether it is on (contract §12): registration switches it on, an update only does so when
 * asked to. A schedule that an update repeats goes on as it was, also when its start has passed.
 */
export function planCron(
  asked: Pick<ActorSettings, 'cronSchedule' | 'cronOn'>,
  current: ScheduleSettings | undefined,
  now: Date,
): ScheduleSettings {
  const { cronSchedule } = asked;
  if (cronSchedule === null) return { cronSchedule, cronOn: false, cronNextEx: null };
  const cronOn = current ? asked.cronOn : true;
  if (current?.cronSchedule === cronSchedule) return { cronSchedule, cronOn, cronNextEx: current.cronNextEx };
  return { cronSchedule, cronOn, cronNextEx: planFirst(cronSchedule, now) };
}
function checkName(name: string | null): void {
  if (name === null) return;
  if (name.includes('\0')) throw invalid('name holds NUL');
  if (name.length > maxNameLength) throw invalid(`name is longer than ${maxNameLength} characters`);
}

function checkWebhook(webhook: string, { events }: Pick<Config, 'events'>): void {
  const problem = webhook === '' ? undefined : webhookProblem(webhook, events.allowPrivate);
  if (problem !== undefined) throw invalid(`webhook cannot be called: ${problem}`);
}

function checkHints(hints: readonly string[]): void {
  const wrong = hints.find((hint) => /["'{}[\]]/.test(hint));
  if (wrong !== undefined) throw invalid(`hint ${JSON.stringify(wrong.slice(0, 80))} holds one of " ' { } [ ]`);
}

function checkEnvironment(environment: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(environment)) {
    const problem = variableProblem(name, renderText(value));
    if (problem !== undefined) throw invalid(`default_environment cannot be set: ${problem}`);
  }
}

function checkWorkers({ max_workers: maxWorkers, stateless }: ActorRequest): void {
  if (typeof maxWorkers !== 'number') return;
  if (maxWorkers < 1) throw invalid(`max_workers is ${maxWorkers}; it takes at least one worker to run a message`);
  if (stateless === false) throw invalid('stateful actors can only have 1 worker.');
}

function checkMemory(memLimit: string | null): void {
  if (memLimit !== null) parseMemory(memLimit);
}

function checkProcessors(maxCpus: number | null): void {
  if (maxCpus === null || maxCpus === -1 || maxCpus >= leastNanoCpus) return;
  throw invalid(
    `max_cpus is ${maxCpus}; it counts billionths of a processor, ${leastNanoCpus} at least, -1 for no limit`,
  );
}

function checkPlace({ queue = 'default', launcher }: ActorRequest, { queues, launchers }: Config): void {
  if (!Object.hasOwn(queues, queue)) {
    throw invalid(`Invalid queue name. Actor asks for queue ${JSON.stringify(queue)}; known queues: ${listed(queues)}`);
  }
  if (typeof launcher === 'string' && !Object.hasOwn(launchers, launcher)) {
    throw invalid(`Actor asks for launcher ${JSON.stringify(launcher)}; known launchers: ${listed(launchers)}`);
  }
}

function listed(table: object): string {
  return Object.keys(table).join(', ');
}

function invalid(reason: string): InvalidError {
  return new InvalidError('actor.invalid', `${whatActor}: ${reason}`);
}
