/** What the engine is asked to create for one attempt. Nothing secret stands in it: anybody on the engine can read it. */

import type { ContainerCreateOptions, HostConfig, MountSettings } from 'dockerode';
import type { LaunchLimits, LaunchSpec } from '../../src/launcher/launcher.ts';
import { optional } from '../../src/lib/optional.ts';

export interface ContainerPaths {
  /** On this host and, as `probe` checks, at the same place for the engine. */
  readonly runDir: string;
  readonly ledgerEntry: string;
  readonly nativeDir: string;
  /** Given to privileged actors (contract §9.5). */
  readonly engineSocket: string;
}

/** Where things are for the program. The paths with `_abaco_` in front are the contract's. */
const inside = {
  run: '/_abaco/run',
  ledger: '/_abaco/ledger',
  bin: '/_abaco/bin',
  binaryMessage: '/_abaco_binary_data',
} as const;

/** The contract's path of the results socket, and where the helper binds it. */
export const resultsLink = { path: '/_abaco_results.sock', target: `${inside.run}/results.sock` } as const;

/** File of a binary message in the run directory. */
export const binaryMessageFile = 'binary';

export function planContainer(
  spec: LaunchSpec,
  options: {
    readonly image: string;
    readonly labels: Record<string, string>;
    readonly starter: string;
    readonly paths: ContainerPaths;
    readonly network: string;
  },
): ContainerCreateOptions {
  return {
    Image: options.image,
    Entrypoint: [`${inside.bin}/abaco-start`],
    Cmd: [...startArguments(spec, options.starter), '--', ...spec.image.argv],
    Labels: options.labels,
    ...optional('User', spec.user),
    // An image's own may be one the helper does not listen to; TERM is what starts the grace time.
    StopSignal: 'SIGTERM',
    // An image's own health check would be a second program nobody asked for.
    Healthcheck: { Test: ['NONE'] },
    HostConfig: {
      Mounts: [...ownMounts(spec, options.paths), ...userMounts(spec, options.paths)],
      // The helper keeps the log: both streams in order, and within its limit.
      LogConfig: { Type: 'none', Config: {} },
      NetworkMode: options.network,
      RestartPolicy: { Name: 'no' },
      AutoRemove: false,
      Init: false,
      ...optional('GroupAdd', spec.groups?.map(String)),
      ...confinement(spec.privileged),
      ...limitSettings(spec.limits),
    },
  };
}

function startArguments({ limits, notAfter }: LaunchSpec, starter: string): string[] {
  const settings = {
    ledger: inside.ledger,
    run: inside.run,
    'not-after': Math.floor(notAfter.getTime() / 1000),
    ...optional('time-limit', limits.timeMs),
    grace: limits.graceMs,
    'log-limit': limits.logBytes,
    'result-limit': limits.resultBytes,
    label: starter,
  };
  return ['start', ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)])];
}

function ownMounts(spec: LaunchSpec, paths: ContainerPaths): MountSettings[] {
  const binary = bind(`${paths.runDir}/${binaryMessageFile}`, inside.binaryMessage, 'ro');
  return [
    bind(paths.runDir, inside.run, 'rw'),
    bind(paths.ledgerEntry, inside.ledger, 'rw'),
    bind(paths.nativeDir, inside.bin, 'ro'),
    ...(spec.binaryMessage === undefined ? [] : [binary]),
  ];
}

function userMounts(spec: LaunchSpec, paths: ContainerPaths): MountSettings[] {
  const engine = spec.privileged ? [bind(paths.engineSocket, '/var/run/docker.sock', 'rw')] : [];
  return [...engine, ...spec.mounts.map((mount) => bind(mount.hostPath, mount.containerPath, mount.mode))];
}

/** As `Mounts`, not `Binds`: a host path that is missing is refused and not made. */
function bind(hostPath: string, containerPath: string, mode: 'ro' | 'rw'): MountSettings {
  return { Type: 'bind', Source: hostPath, Target: containerPath, ReadOnly: mode === 'ro' };
}

function confinement(privileged: boolean): HostConfig {
  return privileged ? { Privileged: true } : { CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges'] };
}

function limitSettings({ memoryBytes, nanoCpus, pids }: LaunchLimits): HostConfig {
  return {
    // Memory and swap together: without the second, as much swap again would be granted.
    ...(memoryBytes === undefined ? {} : { Memory: memoryBytes, MemorySwap: memoryBytes }),
    ...optional('NanoCpus', nanoCpus),
    ...optional('PidsLimit', pids),
    OomKillDisable: false,
  };
}
