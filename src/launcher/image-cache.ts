/** Images that a launcher has made startable and keeps, so that they are there for the next start. */

export interface ImageCache {
  list(): Promise<readonly CachedImage[]>;
  /** Removes what is old and needed by nobody. @returns what was removed, or would be. */
  prune(request: PruneRequest): Promise<readonly CachedImage[]>;
}

export interface CachedImage {
  readonly digest: string;
  /** As it was asked for first. */
  readonly name: string;
  readonly bytes: number;
  readonly path: string;
  /** When it was last asked for; a start within the last hour may be missing. */
  readonly usedAt: Date;
  /** Of whom credentials have resolved it. */
  readonly tenants: readonly string[];
  /** Whether another installation has asked for it within a month. */
  readonly usedElsewhere: boolean;
  /** Of a user, where it is in a cache of theirs alone. */
  readonly owner?: string;
}

export interface PruneRequest {
  /** Since it was last asked for; an hour at least. */
  readonly olderThanMs: number;
  /** Whether an actor is pinned to this digest. */
  readonly isNeeded: (digest: string) => boolean;
  readonly dryRun: boolean;
  readonly now: Date;
}
