/** Whether an engine makes what is mounted below a read-only mount read-only too. */

import type { Engine } from './engine.ts';

/** Version 1.44 of the API, Docker 25, is the first. Asked once; an engine that is away is asked again. */
export function createReadOnlyTrees(engine: Engine): (signal: AbortSignal) => Promise<boolean> {
  let known: boolean | undefined;
  return async (signal) => {
    known ??= isSince144(await engine.ask({ method: 'GET', path: '/version' }, signal));
    return known;
  };
}

/** An engine that says no version, or is Podman with one of its own, is taken for one that does not. */
function isSince144(answer: unknown): boolean {
  const version = (answer as { readonly ApiVersion?: unknown } | undefined)?.ApiVersion;
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(typeof version === 'string' ? version : '') ?? [];
  return Number(major) > 1 || (Number(major) === 1 && Number(minor) >= 44);
}
