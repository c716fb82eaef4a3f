/** What the engine is asked to create for one attempt. Nothing secret stands in it: anybody on the engine can read it. */

import type { ContainerCreateOptions, HostConfig, MountSettings } from 'dockerode';
import { binaryMessageFile, inside, startArguments } from '../../src/launcher/helper-arguments.ts';
import type { LaunchLimits, LaunchSpec, Mount } from '../../src/launcher/launcher.ts';
import { optional } from '../../src/lib/optional.ts';

export interface ContainerPaths {
  /** On this host and, as `probe` checks, at the same place for the engine. */
  readonly runDir: string;
  readonly ledgerEntry: string;
  readonly nativeDir: string;
  /** Given to privileged actors (contract §9.5). */
  readonly engineSocket: string;
}

export function planContainer(
  spec: LaunchSpec,
  options: {
    readonly image: string;
    readonly labels: Record<string, string>;
    readonly starter: string;
    readonly paths: ContainerPaths;
    readonly network: string;
    /** Whether the engine makes what is mounted below a read-only mount read-only too. */
    readonly readOnlyTrees: boolean;
  },
): ContainerCreateOptions {
  return {
    Image: options.image,
    Entrypoint: [`${inside.bin}/abaco-start`],
    Cmd: [...startArguments(spec), '--label', options.starter, '--', ...spec.image.argv],
    Labels: options.labels,
    ...optional('User', spec.user),
    // An image's own may be one the helper does not listen to; TERM is what starts the grace time.
    StopSignal: 'SIGTERM',
    // An image's own health check would be a second program nobody asked for.
    Healthcheck: { Test: ['NONE'] },
    HostConfig: {
      Mounts: [...ownMounts(spec, options.paths), ...userMounts(spec, options)],
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

function ownMounts(spec: LaunchSpec, paths: ContainerPaths): MountSettings[] {
  const binary = bind(`${paths.runDir}/${binaryMessageFile}`, inside.binaryMessage, 'ro');
  return [
    bind(paths.runDir, inside.run, 'rw'),
    bind(paths.ledgerEntry, inside.ledger, 'rw'),
    bind(paths.nativeDir, inside.bin, 'ro'),
    ...(spec.binaryMessage === undefined ? [] : [binary]),
  ];
}

function userMounts(spec: LaunchSpec, options: MountOptions): MountSettings[] {
  const engine = spec.privileged ? [bind(options.paths.engineSocket, '/var/run/docker.sock', 'rw')] : [];
  return [
    ...engine,
    ...spec.mounts.map((mount) => (mount.nfs ? fileServer(mount, mount.nfs, options) : tree(mount, options))),
  ];
}

type MountOptions = Pick<Parameters<typeof planContainer>[1], 'paths' | 'labels' | 'readOnlyTrees'>;

/**
 * A directory with what is mounted below it. Where the engine would leave that writable, a read-only one comes without:
 * what is not seen cannot be written.
 */
function tree({ hostPath, containerPath, mode }: Mount, { readOnlyTrees }: MountOptions): MountSettings {
  const mounted = bind(hostPath, containerPath, mode);
  if (mode === 'rw') return mounted;
  // The types of dockerode lack what came with version 1.44 of the engine's API.
  const recursively = { Propagation: 'rprivate', ReadOnlyForceRecursive: true } as MountSettings['BindOptions'];
  return { ...mounted, BindOptions: readOnlyTrees ? recursively : withoutInner };
}

const withoutInner = { NonRecursive: true } as unknown as NonNullable<MountSettings['BindOptions']>;

/** A volume without a name: it carries our labels from its creation, and is removed with its container. */
function fileServer(
  { hostPath, containerPath, mode }: Mount,
  { server, options }: NonNullable<Mount['nfs']>,
  { labels }: MountOptions,
): MountSettings {
  // Engines refuse ReadOnly for a volume without a name; the kernel mounts it so by the option.
  const all = [`addr=${server}`, mode, ...(options === '' ? [] : [options])].join(',');
  const DriverConfig = { Name: 'local', Options: { type: 'nfs', o: all, device: `:${hostPath}` } };
  return {
    Type: 'volume',
    Source: '',
    Target: containerPath,
    VolumeOptions: { NoCopy: true, Labels: labels, DriverConfig },
  };
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
