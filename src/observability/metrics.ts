/** What Prometheus asks for: numbers of the installation, read when they are asked for, and of this process. */

import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

export interface MetricsOptions {
  /** Messages that wait, for actors that have any. */
  readonly mailboxes: () => Promise<
    readonly { readonly tenant: string; readonly actorId: string; readonly waiting: number }[]
  >;
  readonly workers: () => Promise<
    readonly { readonly tenant: string; readonly actorId: string; readonly status: string }[]
  >;
  readonly actors: () => Promise<number>;
}

export interface Metrics {
  readonly contentType: string;
  /** An execution has ended and this process has brought it to the history. */
  countEnd(end: { readonly launcher: string; readonly outcome: string }): void;
  render(): Promise<string>;
}

export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const perActor = ['tenant', 'actor_id'] as const;

  const actors = new Gauge({
    name: 'actors',
    help: 'Actors there are',
    registers: [],
    async collect() {
      this.set(await options.actors());
    },
  });
  const depths = new Gauge({
    name: 'mailbox_depth',
    help: 'Messages that wait, of actors that have any',
    labelNames: perActor,
    registers: [],
    async collect() {
      this.reset();
      for (const { tenant, actorId, waiting } of await options.mailboxes()) {
        this.set({ tenant, actor_id: actorId }, waiting);
      }
    },
  });
  const workers = new Gauge({
    name: 'workers',
    help: 'Workers there are, of actors that have any',
    labelNames: [...perActor, 'status'] as const,
    registers: [],
    async collect() {
      this.reset();
      for (const { tenant, actorId, status } of await options.workers()) {
        this.inc({ tenant, actor_id: actorId, status });
      }
    },
  });
  const executions = new Counter({
    name: 'executions_total',
    help: 'Executions that have ended, as far as this process brought them to the history; add up over processes',
    labelNames: ['launcher', 'outcome'] as const,
    registers: [],
  });
  registry.registerMetric(actors);
  registry.registerMetric(depths);
  registry.registerMetric(workers);
  registry.registerMetric(executions);

  return {
    contentType: registry.contentType,
    countEnd: (labels) => executions.inc(labels),
    render: async () => await registry.metrics(),
  };
}
