import { randomUUID } from 'node:crypto';
import type { AttemptRef, Launcher, LaunchHandle, LaunchLimits, LaunchSpec } from '../../src/launcher/launcher.ts';
import type { DockerBench } from './docker-bench.ts';
import { endIn, follow, readOutput } from './follow-attempt.ts';

export const never = new AbortController().signal;
export const usualLimits: LaunchLimits = {
  graceMs: 2_000,
  logBytes: 1_000_000,
  resultBytes: 131_072,
  resultTotalBytes: 10_000_000,
  resultCount: 1_000,
};

export function newAttempt(): AttemptRef {
  return { executionId: `x${randomUUID().replaceAll('-', '').slice(0, 12)}`, attempt: 1 };
}

/** A spec that runs this command line in the test image. */
export async function specOf(
  launcher: Launcher,
  bench: DockerBench,
  argv: readonly string[],
  changes: Partial<LaunchSpec> = {},
): Promise<LaunchSpec> {
  const image = await launcher.prepare({ name: bench.image }, never);
  const notAfter = new Date(Date.now() + 3_600_000);
  const ref = newAttempt();
  const usual = {
    tenant: 'tacc',
    actorId: 'a1',
    environment: {},
    privileged: false,
    mounts: [],
    limits: usualLimits,
    notAfter,
  };
  return { ...ref, ...usual, image: { ...image, argv }, ...changes };
}

/** Launches it, follows it to its end, reads what it wrote, removes it. */
export async function runToEnd(launcher: Launcher, spec: LaunchSpec) {
  const handle: LaunchHandle = await launcher.launch(spec, never);
  const end = endIn(await follow(launcher, handle));
  const output = await readOutput(await launcher.collect(handle, never));
  await launcher.remove(spec);
  return { end, ...output };
}
