/** What Prometheus asks for: numbers of the installation, read when they are asked for, and of this process. */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

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
  /** A worker of this process has found that another holds its execution, or that it has ended. */
  countLeaseLost(this: void): void;
  /** A launcher has taken an execution after so long. */
  timeLaunch(this: void, launcher: string, tookMs: number): void;
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
  const leasesLost = new Counter({
    name: 'lease_lost_total',
    help: 'Leases that workers of this process have lost',
    registers: [],
  });
  const launches = new Histogram({
    name: 'launch_seconds',
    help: 'How long launchers took to take an execution, of this process',
    labelNames: ['launcher'] as const,
    buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
    registers: [],
  });
  registry.registerMetric(leasesLost);
  registry.registerMetric(launches);
  registry.registerMetric(actors);
  registry.registerMetric(depths);
  registry.registerMetric(workers);
  registry.registerMetric(executions);

  return {
    contentType: registry.contentType,
    countEnd: (labels) => executions.inc(labels),
    countLeaseLost: () => leasesLost.inc(),
    timeLaunch: (launcher, tookMs) => launches.observe({ launcher }, tookMs / 1_000),
    render: async () => await registry.metrics(),
  };
}
