/**
 * `scontrol show`: partitions and the configuration (scontrol(1)). As text: it has been `Key=Value` in every version, while
 * what `--json` prints changes from one to the next, and for the configuration there is none.
 */

import { optional } from '../../../src/lib/optional.ts';
import { type Command, expectSuccess } from '../../host/command.ts';
import type { PartitionFacts } from '../cluster-facts.ts';
import { parseSlurmTime } from '../slurm-time.ts';

export interface ConfigFacts {
  readonly clusterName: string;
  readonly maxArraySize?: number;
}

export function showConfigCommand(): Command<ConfigFacts> {
  const succeed = expectSuccess('scontrol show config');
  return { argv: ['scontrol', 'show', 'config'], timeoutMs: 20_000, parse: (result) => parseConfig(succeed(result)) };
}

/** Lines `Name = value`. */
export function parseConfig(text: string): ConfigFacts {
  const value = (name: string): string => new RegExp(`^${name}\\s*=\\s*(\\S+)`, 'm').exec(text)?.[1] ?? '';
  return { clusterName: value('ClusterName'), ...optional('maxArraySize', countIn(value('MaxArraySize'))) };
}

/** What nodes there are in it comes from `sinfo`. */
export type PartitionRules = Omit<PartitionFacts, 'cpusPerNode' | 'memoryBytesPerNode' | 'gpusPerNode' | 'features'>;

export function showPartitionsCommand(): Command<readonly PartitionRules[]> {
  const succeed = expectSuccess('scontrol show partition');
  return {
    // Also those that are hidden, or not for whoever asks: users may be allowed there.
    argv: ['scontrol', 'show', 'partition', '--all', '--oneliner'],
    timeoutMs: 20_000,
    parse: (result) => parsePartitions(succeed(result)),
  };
}

export function parsePartitions(text: string): readonly PartitionRules[] {
  return text.split('\n').flatMap((line) => {
    const fields = new Map(
      Array.from(line.matchAll(/(?:^|\s)([A-Za-z]+)=(\S*)/g), ([, key = '', value = '']) => [key, value]),
    );
    const name = fields.get('PartitionName');
    if (name === undefined || name === '') return [];
    const field = (key: string): string => fields.get(key) ?? '';
    return [
      {
        name,
        isDefault: field('Default') === 'YES',
        ...optional('maxTimeMs', parseSlurmTime(field('MaxTime'))),
        ...optional('maxNodes', smallest(countIn(field('MaxNodes')), countIn(field('TotalNodes')))),
        ...optional('allowedAccounts', listIn(field('AllowAccounts'))),
        ...optional('deniedAccounts', listIn(field('DenyAccounts'))),
        ...optional('allowedQos', listIn(field('AllowQos'))),
      },
    ];
  });
}

/** Nothing for UNLIMITED and the like. */
function countIn(text: string): number | undefined {
  return /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}

/** Nothing where all may. */
function listIn(text: string): readonly string[] | undefined {
  if (text === '' || text === 'ALL' || text === '(null)' || text === 'N/A') return undefined;
  return text.split(',');
}

function smallest(...counts: readonly (number | undefined)[]): number | undefined {
  const known = counts.filter((count) => count !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
