/** Containers of attempts on the engine: found by name or label, made, started, stopped, removed. */

import type { ContainerCreateOptions, ContainerInfo, ContainerInspectInfo } from 'dockerode';
import { LauncherError, UnavailableError } from '../../src/errors.ts';
import type { ContainerState } from '../../src/launcher/decide-end.ts';
import type { AttemptRef } from '../../src/launcher/launcher.ts';
import { optional } from '../../src/lib/optional.ts';
import type { Engine } from './engine.ts';
import { isRefusal, launchFailure } from './engine-error.ts';
import { attemptOf, containerName, labelFilter, labels } from './ownership.ts';

export interface FoundContainer {
  readonly id: string;
  readonly state: ContainerState;
  /** What the start marker holds behind "@" when this container's first process took it. */
  readonly starter: string | undefined;
  readonly startedAt?: Date;
  /** Somebody is removing it. */
  readonly leaving: boolean;
}

export interface Containers {
  /** The one under the attempt's name. */
  find(ref: AttemptRef, signal?: AbortSignal): Promise<FoundContainer | undefined>;
  /** The one, whatever its name, whose first process holds the marker. */
  findStarter(ref: AttemptRef, starter: string, signal?: AbortSignal): Promise<FoundContainer | undefined>;
  /** @returns `taken` when there is one under this name, `no-image` when the image is not there. */
  create(
    ref: AttemptRef,
    plan: ContainerCreateOptions,
    signal: AbortSignal,
  ): Promise<{ readonly id: string } | 'taken' | 'no-image'>;
  /** @returns `gone` when there was nothing to start. One that runs already is fine. */
  start(ref: AttemptRef, id: string, signal: AbortSignal): Promise<'started' | 'gone'>;
  signal(id: string, name: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Resolves when it has ended or is gone. */
  ended(id: string, signal: AbortSignal): Promise<void>;
  /** Removes all that carries the attempt's labels, under whatever name. */
  remove(ref: AttemptRef): Promise<void>;
  /** Attempts of this installation that have a container here. */
  list(signal: AbortSignal): Promise<readonly AttemptRef[]>;
}

export function createContainers(engine: Engine, installationId: string): Containers {
  async function inspect(idOrName: string, signal?: AbortSignal): Promise<ContainerInspectInfo | undefined> {
    try {
      return (await engine.ask(
        { method: 'GET', path: `/containers/${idOrName}/json` },
        signal,
      )) as ContainerInspectInfo;
    } catch (error) {
      if (isRefusal(error, 404)) return undefined;
      throw asTrouble(error);
    }
  }

  async function listBy(
    wanted: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<readonly ContainerInfo[]> {
    const filters = JSON.stringify(labelFilter({ [labels.installation]: installationId, ...wanted }));
    const query = { all: true, filters };
    try {
      return (await engine.ask({ method: 'GET', path: '/containers/json', query }, signal)) as readonly ContainerInfo[];
    } catch (error) {
      throw asTrouble(error);
    }
  }

  async function removeById(id: string): Promise<void> {
    try {
      await engine.ask({ method: 'DELETE', path: `/containers/${id}`, query: { force: true, v: true } });
    } catch (error) {
      if (isRefusal(error, 404)) return;
      if (!isRefusal(error, 409)) throw asTrouble(error);
      await untilRemoved(id);
    }
  }

  /** Somebody else is removing it. */
  async function untilRemoved(id: string): Promise<void> {
    try {
      await engine.ask({ method: 'POST', path: `/containers/${id}/wait`, query: { condition: 'removed' } });
    } catch (error) {
      if (!isRefusal(error, 404)) throw asTrouble(error);
    }
  }

  return {
    async find(ref, signal) {
      const name = containerName(installationId, ref);
      const info = await inspect(name, signal);
      if (info === undefined) return undefined;
      const owner = attemptOf(info.Config.Labels, installationId);
      if (owner?.executionId !== ref.executionId || owner.attempt !== ref.attempt) throw foreign(name);
      return foundContainer(info);
    },
    async findStarter(ref, starter, signal) {
      const [first] = await listBy({ ...attemptLabels(ref), [labels.starter]: starter }, signal);
      const info = first && (await inspect(first.Id, signal));
      return info && foundContainer(info);
    },
    async create(ref, plan, signal) {
      const query = { name: containerName(installationId, ref) };
      try {
        const created = await engine.ask({ method: 'POST', path: '/containers/create', query, body: plan }, signal);
        return { id: (created as { readonly Id: string }).Id };
      } catch (error) {
        if (isRefusal(error, 409)) return 'taken';
        if (isRefusal(error, 404) && /no such image/i.test(error.message)) return 'no-image';
        throw launchFailure(error, subject(ref));
      }
    },
    async start(ref, id, signal) {
      try {
        await engine.ask({ method: 'POST', path: `/containers/${id}/start` }, signal);
        return 'started';
      } catch (error) {
        if (isRefusal(error, 404) && /no such container/i.test(error.message)) return 'gone';
        throw launchFailure(error, subject(ref));
      }
    },
    async signal(id, name) {
      try {
        await engine.ask({ method: 'POST', path: `/containers/${id}/kill`, query: { signal: name } });
      } catch (error) {
        // Gone, or not running any more.
        if (!isRefusal(error, 404, 409)) throw asTrouble(error);
      }
    },
    async ended(id, signal) {
      try {
        await engine.ask({ method: 'POST', path: `/containers/${id}/wait`, limit: 'none' }, signal);
      } catch (error) {
        if (!isRefusal(error, 404)) throw asTrouble(error);
      }
    },
    async remove(ref) {
      const found = await listBy(attemptLabels(ref));
      await Promise.all(found.map((container) => removeById(container.Id)));
    },
    async list(signal) {
      const found = await listBy({}, signal);
      return found.map((container) => attemptOf(container.Labels, installationId)).filter((ref) => ref !== undefined);
    },
  };
}

function attemptLabels(ref: AttemptRef): Record<string, string> {
  return { [labels.execution]: ref.executionId, [labels.attempt]: String(ref.attempt) };
}

function subject(ref: AttemptRef): string {
  return `Attempt ${ref.attempt} of execution "${ref.executionId}"`;
}

function foundContainer(info: ContainerInspectInfo): FoundContainer {
  return {
    id: info.Id,
    state: containerState(info.State),
    starter: info.Config.Labels[labels.starter],
    leaving: info.State.Dead || info.State.Status === 'removing',
    ...optional('startedAt', parseTime(info.State.StartedAt)),
  };
}

export function containerState(state: ContainerInspectInfo['State']): ContainerState {
  if (state.Running) return { kind: 'running' };
  if (state.Status === 'created') return { kind: 'created' };
  return {
    kind: 'exited',
    exitCode: state.ExitCode,
    outOfMemory: state.OOMKilled,
    detail: state.Error,
    ...optional('at', parseTime(state.FinishedAt)),
  };
}

/** Engines write the year 1 for "never". */
function parseTime(text: string): Date | undefined {
  const time = new Date(text);
  return time.getTime() > 0 ? time : undefined;
}

function foreign(name: string): LauncherError {
  const help = 'rename or remove it';
  return new LauncherError(
    'launcher.rejected',
    `Container "${name}" is not of this installation though it has the name of one: ${help}`,
  );
}

/** An engine that answers with an error where it should not is in trouble, and trouble may pass. */
function asTrouble(error: unknown): unknown {
  if (!isRefusal(error, 400, 403, 405, 406, 409, 500, 501, 503)) return error;
  return new UnavailableError('launcher.unavailable', `The container engine answered with an error: ${error.message}`, {
    cause: error,
  });
}
