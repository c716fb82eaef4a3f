/**
 * The contract between the service and whatever runs containers.
 *
 * A launcher starts one attempt of an execution, follows it to its one end, gives back what it wrote, and frees what it
 * made. Its one hard promise is that an attempt starts its program at most once, whatever dies and whatever comes back:
 * the start marker in the launcher's ledger decides (see `ledger.ts`), names and look-ups only save work.
 *
 * A failing program is data, not an exception. A backend that does not answer is `UnavailableError`, and never "not
 * found".
 */

import type { ImageCache } from './image-cache.ts';
import type { ImageSourceKind } from './image-source.ts';
import type { Resources } from './resources.ts';

/** One start of the user's program for one execution; all that names and markers are made of. */
export interface AttemptRef {
  readonly executionId: string;
  readonly attempt: number;
  /** Whose it is: where a launcher runs programs as their users, it is found by that. No part of its name. */
  readonly owner?: string;
}

/**
 * Of these attempts, those that belong to nothing that lives. Asked once for all that was found, since whoever made it may
 * have made very much.
 */
export type FindDead = (found: readonly AttemptRef[]) => Promise<readonly AttemptRef[]>;

/** Runs one container for one message, somewhere. */
export interface Launcher {
  /** The instance's name in `config/`: "local", "ls6-pilot". */
  readonly name: string;
  readonly capabilities: LauncherCapabilities;

  /** Says whether work would be accepted now. Resolves also when the backend is down. */
  probe(signal: AbortSignal): Promise<LauncherHealth>;

  /**
   * Why this can never run here, with what could, by what the backend last said of itself; nothing where it may, where
   * nothing is known, and on launchers without this verb. Asks nobody: a backend that is away refuses nothing.
   */
  check?(asked: ResourceQuestion): string | undefined;

  /** What would be handed to a scheduler for this, and what the scheduler says of it. Starts nothing, keeps nothing. */
  dryRun?(spec: LaunchSpec, signal: AbortSignal): Promise<DryRun>;

  /**
   * Makes the image startable here and pins its name to a digest (the image id where there is no digest). Again is cheap.
   *
   * Rejects with `InvalidError` or `LauncherError` (`image.*`) when the image is bad, with `ForbiddenError` (`image.*`,
   * `identity.*`, `request.forbidden`) when it is not for its user, with `launcher.rejected` when the backend refuses to make
   * it, with `UnavailableError` when trouble may pass. What it rejects with besides is no word about the image: it is asked
   * for again.
   *
   * @param onProgress - told in a sentence what takes so long, where it does.
   */
  prepare(image: ImageRef, signal: AbortSignal, onProgress?: (text: string) => void): Promise<PreparedImage>;

  /**
   * Starts one attempt of an execution. The same `executionId` and `attempt` again never start a second one and resolve
   * to a handle of the first.
   *
   * Rejects only when nothing was started by this call: `LauncherError` when the backend refused, `UnavailableError`
   * when trouble may pass. In doubt the caller calls again.
   */
  launch(spec: LaunchSpec, signal: AbortSignal): Promise<LaunchHandle>;

  /**
   * A handle of an attempt about whose start somebody has decided, whatever its launch would be refused for by now.
   * Nothing while that is open, or where nothing of its owner can have run. Starts and ends nothing.
   *
   * Rejects while nobody can say: the caller asks again.
   */
  find(attempt: DecidedAttempt, signal: AbortSignal): Promise<LaunchHandle | undefined>;

  /**
   * Follows an attempt to its one end. Takes any handle ever returned, also by an earlier process; one whose thing has
   * vanished yields `lost`. Events only go forward; the last is an end. Ends without one only when `signal` aborts.
   */
  watch(handle: LaunchHandle, signal: AbortSignal): AsyncIterable<LaunchEvent>;

  /**
   * Ends an attempt. One that has not started never will (its marker is closed): resolves to `never-started`. One that
   * has started is asked to stop, TERM first and KILL after `graceMs`; its end arrives through `watch`. Again is a no-op.
   *
   * Rejects with `UnavailableError` where the marker cannot be closed now, also where an account refuses us: what was handed
   * over as it may start meanwhile. Only the caller can know that nothing was.
   */
  cancel(ref: AttemptRef, graceMs: number): Promise<'never-started' | 'stopping'>;

  /** Reads what it wrote, also before its end where `capabilities.liveOutput` says so. */
  collect(handle: LaunchHandle, signal: AbortSignal): Promise<ExecutionOutput>;

  /** Frees all that `launch` made for this attempt but its ledger entry. Again is a no-op. */
  remove(ref: AttemptRef): Promise<void>;

  /**
   * Finds what a crash left behind: everything here that carries our installation's id and whose attempt `findDead`
   * gives back is removed, a share of it where it is very much, and its ledger entry once `notAfter` has passed. Nothing
   * of another installation is touched.
   *
   * @returns what was removed.
   */
  sweep(findDead: FindDead, signal: AbortSignal): Promise<readonly AttemptRef[]>;

  /** The images it keeps, where it keeps them itself. */
  readonly images?: ImageCache;

  /** Lets go of connections. What is running keeps running. */
  close(): Promise<void>;
}

/** Powers are data, so that the API can refuse what cannot run before anything waits. */
export interface LauncherCapabilities {
  /** May wait in a scheduler before it runs. */
  readonly queues: boolean;
  /** `collect` works before the end. */
  readonly liveOutput: boolean;
  readonly gpus: boolean;
  readonly multiNode: boolean;
  /** Programs run as the owner of the actor, so an owner has to be somebody. */
  readonly asOwner: boolean;
  /** Reached alike from every host of the service, so any supervisor can go on with what another began. */
  readonly everywhere: boolean;
  /** Mounts directories of file servers by itself. */
  readonly nfsMounts?: boolean;
  /**
   * Whether programs can be kept within memory and processors. Where nothing is said they can, or nobody knows before a
   * probe has reached the host: what is not known refuses nothing.
   */
  readonly resourceLimits?: boolean | undefined;
  /** Where its images may come from; where nothing is said, from registries. */
  readonly imageSources?: readonly ImageSourceKind[];
}

/** What an actor of this owner asks for. */
export interface ResourceQuestion {
  readonly owner: string;
  readonly resources: Resources;
  /** Of its containers, which count where it asks for nothing of the kind. */
  readonly limits: LaunchLimits;
}

export interface DryRun {
  /** The files that would be handed over, by name. */
  readonly files: Readonly<Record<string, string>>;
  readonly accepted: boolean;
  /** The scheduler's own words. */
  readonly answer: string;
}

export interface LauncherHealth {
  readonly ok: boolean;
  /** One line for people: what answers, or what is wrong and what would help. */
  readonly detail: string;
  /** What somebody has to do before it is well; nothing where it may come back by itself. */
  readonly next?: string;
  /** Each thing that was looked at. */
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[];
}

/** An image as the user named it, and its digest once pinned. */
export interface ImageRef {
  readonly name: string;
  /** `sha256:…` of a manifest, of an image id where the image never came from a registry, of a file that is a SIF. */
  readonly digest?: string;
  /** Whose credentials resolve it. */
  readonly tenant?: string;
  /** Who runs it: files are read, and caches of users' own are kept, as they. */
  readonly owner?: string;
  /** `uid[:gid]` of the owner, as in `LaunchSpec`: as another nothing is read. */
  readonly user?: string;
}

export interface PreparedImage {
  readonly name: string;
  readonly digest: string;
  /** The image's own entrypoint followed by its own command, from the OCI configuration; may be empty. */
  readonly argv: readonly string[];
}

/** Megabytes are not units here: all sizes in bytes, all times in milliseconds. Nothing given is no limit. */
export interface LaunchLimits {
  readonly memoryBytes?: number;
  readonly nanoCpus?: number;
  readonly pids?: number;
  /** After it: TERM, `graceMs`, KILL. */
  readonly timeMs?: number;
  readonly graceMs: number;
  /** Of the log; what comes after is dropped and `logTruncated` says so. */
  readonly logBytes: number;
  /** Of one result; a longer datagram is dropped and counted in `droppedResults`. */
  readonly resultBytes: number;
  /** Of the file with all results, and how many it may hold; what comes after is dropped and counted likewise. */
  readonly resultTotalBytes: number;
  readonly resultCount: number;
}

/** A directory that programs see. One that is not there is refused, and made by nobody. */
export interface Mount {
  /** On the host, or what the file server of `nfs` exports. */
  readonly hostPath: string;
  readonly containerPath: string;
  /** `ro` holds for all that is mounted below it, too. */
  readonly mode: 'ro' | 'rw';
  /** Options as mount.nfs(8) has them. */
  readonly nfs?: { readonly server: string; readonly options: string };
}

/** All a launcher has to know to start one attempt. */
export interface LaunchSpec extends AttemptRef {
  readonly tenant: string;
  readonly actorId: string;
  readonly image: PreparedImage;
  /** Environment over the image's own; names may hold anything but `=` and NUL. */
  readonly environment: Readonly<Record<string, string>>;
  /** A binary message: found whole at `/_abaco_binary_data`. */
  readonly binaryMessage?: BinaryMessage;
  /**
   * `uid[:gid]`; nothing given is the image's user. Launchers that run programs as their owner start nothing where the
   * account of that name has another uid, or none is given.
   */
  readonly user?: string;
  /** Supplementary groups of that user. */
  readonly groups?: readonly number[];
  readonly privileged: boolean;
  readonly mounts: readonly Mount[];
  readonly limits: LaunchLimits;
  /** Attributes by which its actor itself asks for limits of memory and processors: what cannot hold them starts nothing. */
  readonly ownLimits?: readonly string[];
  /** What it asks of a scheduler; where there is one, this goes before `limits`. */
  readonly resources?: Resources;
  /** What it leaves in its run directory is kept for its user for a while, where a launcher can. */
  readonly keepScratch?: boolean;
  /** After it nothing may start any more. */
  readonly notAfter: Date;
}

/** What a handle is made of: the attempt, and within which limits that which it wrote is read. */
export type DecidedAttempt = AttemptRef & Pick<LaunchSpec, 'limits'>;

/** Bytes that are opened anew for each reader. */
export interface BinaryMessage {
  readonly bytes: number;
  open(): AsyncIterable<Uint8Array>;
}

/** JSON, kept with the execution; it has to outlive this process. */
export interface LaunchHandle extends AttemptRef {
  readonly launcher: string;
  /** Container id, pid, Slurm job or job.step. */
  readonly nativeId: string;
  /** Of the shape of `state`. */
  readonly version: number;
  readonly state: Readonly<Record<string, unknown>>;
}

/**
 * Only forward: queued* → running → exactly one end. What runs may be `queued` again, where it stands still or nothing is
 * known of it, and is `running` again, at the same time, when that is over.
 */
export type LaunchEvent =
  | {
      readonly kind: 'queued';
      readonly at: Date;
      readonly reason: string;
      /** Who can do something about it, and what. */
      readonly owner: 'user' | 'operator' | 'scheduler' | 'network';
      readonly next: string;
      /** When it is expected to start, where somebody has planned it. */
      readonly expected?: Date;
    }
  | { readonly kind: 'running'; readonly at: Date; readonly node: string }
  | LaunchEnd;

export type LaunchEnd =
  | { readonly kind: 'exited'; readonly at: Date; readonly exitCode: number }
  /** `exitCode` where the program had started; `detail` where it was not us who cancelled it. */
  | { readonly kind: 'cancelled'; readonly at: Date; readonly exitCode?: number; readonly detail?: string }
  | {
      readonly kind: 'killed';
      readonly at: Date;
      readonly by: 'time-limit' | 'out-of-memory' | 'node-failure' | 'preemption';
      readonly exitCode?: number;
      readonly detail: string;
    }
  /** The helper held the marker and could not start the program: no such entrypoint, not executable. */
  | { readonly kind: 'not-started'; readonly at: Date; readonly exitCode: number; readonly detail: string }
  /** Gone without an end record. `started` is false only when its marker was free and is closed now. */
  | { readonly kind: 'lost'; readonly at: Date; readonly started: boolean; readonly detail: string };

/** What an attempt wrote. Offsets let a reader go on where it stopped. */
export interface ExecutionOutput {
  /** Bytes of log there are now. */
  readonly logBytes: number;
  readonly logTruncated: boolean;
  readLog(offset: number): AsyncIterable<Uint8Array>;
  /** Results from the `from`th on (0 is the first), whole, in the order sent. */
  readResults(from: number): AsyncIterable<Uint8Array>;
  /** As the end record counts them; none before. */
  readonly droppedResults: number;
  /** Known once it has ended. */
  readonly usage?: Usage;
  /** Of one that has ended; nothing when its books do not tell in good time. There where somebody keeps books. */
  readAccounting?(): Promise<Accounting | undefined>;
}

/** What a scheduler has on its books: what was held for the attempt, beside what its program used. */
export interface Accounting {
  /** What the scheduler calls it. */
  readonly jobId: string;
  /** How long its resources were held. */
  readonly elapsedMs: number;
  /** User and system time of all its processes. */
  readonly cpuMs: number;
  /** As the scheduler writes them. */
  readonly nodes: string;
  readonly maxMemoryBytes?: number;
  readonly energyJoules?: number;
}

export interface Usage {
  readonly startedAt: Date;
  readonly finishedAt: Date;
  /** User and system time of the program and all its children. */
  readonly cpuMs: number;
  /** Largest resident set of any one of its processes. */
  readonly maxMemoryBytes: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
}

/** What a kind is given to make a launcher of. */
export interface LauncherContext {
  readonly installationId: string;
  /** A directory of this launcher's own on this host; kept over restarts. */
  readonly dataDir: string;
  /** Where the helper binaries (`abaco-start`, `result`) are on this host. */
  readonly nativeDir: string;
  /** Image registries that want credentials or plain http, or are at no public address, by `host[:port]`; empty texts are none. */
  readonly registries: Readonly<Record<string, RegistryAccess>>;
  /** Those of one tenant alone, over the others. */
  readonly tenantRegistries?: Readonly<Record<string, Readonly<Record<string, RegistryAccess>>>>;
  readonly log: LauncherLog;
  /** Passed at each named point of `launch` and `remove`; tests kill or freeze the process there. */
  readonly checkpoint: (point: string) => Promise<void>;
}

export interface RegistryAccess {
  readonly username: string;
  readonly password: string;
  readonly insecure: boolean;
}

/** As much of pino as a launcher needs. */
export interface LauncherLog {
  debug(details: object, text: string): void;
  info(details: object, text: string): void;
  warn(details: object, text: string): void;
  error(details: object, text: string): void;
}

/** One kind, as `launchers/index.ts` lists it. `options` is the JSON Schema of its table in `config/`. */
export interface LauncherKind<Options> {
  readonly kind: string;
  readonly options: object;
  create(name: string, options: Options, context: LauncherContext): Promise<Launcher>;
}
