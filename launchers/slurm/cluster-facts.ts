/** What a cluster last said of itself: what there is, who may use it, and how much at once. A value; nobody is asked. */

export interface ClusterFacts {
  readonly partitions: readonly PartitionFacts[];
  /** Empty where the accounting does not tell. */
  readonly associations: readonly Association[];
  /** One above the highest index of an array. */
  readonly maxArraySize?: number;
}

export interface PartitionFacts {
  readonly name: string;
  /** Jobs that name none go there. */
  readonly isDefault: boolean;
  readonly maxTimeMs?: number;
  readonly maxNodes?: number;
  /** Nothing given is everybody. */
  readonly allowedAccounts?: readonly string[];
  readonly deniedAccounts?: readonly string[];
  readonly allowedQos?: readonly string[];
  /** Of its largest node in each; nothing where its nodes are not known. */
  readonly cpusPerNode?: number;
  readonly memoryBytesPerNode?: number;
  /** By kind, as `sinfo` tells. */
  readonly gpusPerNode: ReadonlyMap<string, number>;
  readonly features: readonly string[];
}

/** What one user may do with one account. */
export interface Association {
  readonly user: string;
  readonly account: string;
  /** The account of jobs that name none. */
  readonly isDefault: boolean;
  /** It is good there alone. */
  readonly partition?: string;
  readonly qos: readonly string[];
  /** Jobs that wait or run at once; each element of an array is one. */
  readonly maxSubmitJobs?: number;
  readonly maxWallMs?: number;
}

/** The words of a job that decide which rules it is under. */
export interface JobPlace {
  readonly partition?: string;
  readonly account?: string;
}

/** Where a job may run: Slurm takes the first of several that can. */
export function partitionsOf(facts: ClusterFacts, { partition }: JobPlace): readonly PartitionFacts[] {
  if (partition === undefined) return facts.partitions.filter(({ isDefault }) => isDefault);
  const names = partition.split(',');
  return facts.partitions.filter(({ name }) => names.includes(name));
}

/** Of the account it charges; nothing where that is not known. */
export function associationOf(facts: ClusterFacts, owner: string, { account }: JobPlace): Association | undefined {
  return facts.associations.find(
    (one) => one.user === owner && (account === undefined ? one.isDefault : one.account === account),
  );
}

/** Most elements that one array may have, as far as is known. */
export function mostElements(facts: ClusterFacts | undefined, owner: string, place: JobPlace): number {
  if (!facts) return Number.POSITIVE_INFINITY;
  const submit = associationOf(facts, owner, place)?.maxSubmitJobs;
  return Math.max(1, Math.min(facts.maxArraySize ?? Number.POSITIVE_INFINITY, submit ?? Number.POSITIVE_INFINITY));
}
