/** `sinfo`: what nodes each partition has (sinfo(1)); as text in a format we name, which every version prints alike. */

import { type Command, expectSuccess } from '../../host/command.ts';

/** Nodes of a partition that are alike. */
export interface NodeGroup {
  readonly partition: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** By kind; of a kind that nobody named, under an empty text. */
  readonly gpus: ReadonlyMap<string, number>;
  readonly features: readonly string[];
}

/** Partition, nodes, CPUs, memory in MB, generic resources, features. */
const format = '%R|%D|%c|%m|%G|%f';

export function sinfoCommand(): Command<readonly NodeGroup[]> {
  const succeed = expectSuccess('sinfo');
  return {
    argv: ['sinfo', '--noheader', '--all', '--exact', `--format=${format}`],
    timeoutMs: 20_000,
    parse: (result) => parseSinfo(succeed(result)),
  };
}

export function parseSinfo(text: string): readonly NodeGroup[] {
  return text.split('\n').flatMap((line) => {
    const [partition = '', , cpus = '', megabytes = '', gres = '', features = ''] = line.trim().split('|');
    if (partition === '' || !/^\d+\+?$/.test(cpus) || !/^\d+\+?$/.test(megabytes)) return [];
    return [
      {
        partition,
        cpus: Number.parseInt(cpus, 10),
        memoryBytes: Number.parseInt(megabytes, 10) * 1_048_576,
        gpus: gpusIn(gres),
        features: features === '(null)' || features === '' ? [] : features.split(','),
      },
    ];
  });
}

/** "gpu:a100:4(S:0-1),nvme:1" has four of a kind, "gpu:2" two of none. */
function gpusIn(gres: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const [, kind = '', count = ''] of gres.matchAll(/(?:^|,)gpu(?::([A-Za-z][\w.-]*))?:(\d{1,5})/g)) {
    found.set(kind, (found.get(kind) ?? 0) + Number(count));
  }
  return found;
}
