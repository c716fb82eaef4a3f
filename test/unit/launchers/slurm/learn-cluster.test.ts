/** How often a cluster is asked about itself. It is played here, since it is counted and made to fail. */

import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { Command } from '../../../../launchers/host/command.ts';
import type { Host } from '../../../../launchers/host/host.ts';
import { createClusterKnowledge } from '../../../../launchers/slurm/learn-cluster.ts';
import { silentLog } from '../../../support/silent-log.ts';

function playCluster() {
  const played = { asked: [] as string[], isAway: false, hidesUsers: false, now: 0, silence: Promise.resolve() };
  const answers: Readonly<Record<string, string>> = {
    'scontrol show config': 'ClusterName = test\nMaxArraySize = 1001\n',
    'scontrol show partition': 'PartitionName=normal Default=YES MaxTime=01:00:00\n',
    sinfo: 'normal|2|4|1000|(null)|(null)\n',
    sacctmgr: 'test|alice|lab|lab||normal||\nother|alice|x|x||normal||\n',
  };
  const host = {
    run: async <T>({ argv, parse }: Command<T>): Promise<T> => {
      await played.silence;
      const line = argv.join(' ');
      const name = Object.keys(answers).find((known) => line.startsWith(known)) ?? '';
      played.asked.push(name);
      const fails = played.isAway || (played.hidesUsers && name === 'sacctmgr');
      const stdout = answers[name] ?? '';
      return parse({ exitCode: fails ? 1 : 0, signal: null, stdout, stderr: 'not today' });
    },
  } as Pick<Host, 'run'>;
  const closing = new AbortController();
  const knowledge = createClusterKnowledge({
    host,
    everyMs: 600_000,
    log: silentLog,
    closing: closing.signal,
    now: () => played.now,
  });
  return { played, knowledge };
}

describe('what is known of a cluster', () => {
  it('is nothing before it has been asked, and then what it said', async () => {
    const { knowledge } = playCluster();
    await knowledge.learn();
    expect(knowledge.facts()).toMatchObject({
      partitions: [{ name: 'normal', cpusPerNode: 4 }],
      associations: [{ user: 'alice', account: 'lab' }],
      maxArraySize: 1_001,
    });
  });

  it('is asked for by four questions, and not again before it is old', async () => {
    const { knowledge, played } = playCluster();
    await Promise.all([knowledge.learn(), knowledge.learn()]);
    for (let count = 0; count < 100; count += 1) knowledge.facts();
    await knowledge.learn();
    expect(played.asked).toHaveLength(4);
    played.now += 600_000;
    await knowledge.learn();
    expect(played.asked).toHaveLength(8);
  });

  it('stays what it was while the cluster is away', async () => {
    const { knowledge, played } = playCluster();
    await knowledge.learn();
    played.isAway = true;
    played.now += 600_000;
    await knowledge.learn();
    expect(knowledge.facts()).toMatchObject({ partitions: [{ name: 'normal' }] });
  });

  it('of one that was away at first is asked for again soon, and not at every occasion', async () => {
    const { knowledge, played } = playCluster();
    played.isAway = true;
    expect(knowledge.facts()).toBeUndefined();
    await knowledge.learn();
    expect(knowledge.facts()).toBeUndefined();
    expect(played.asked).toHaveLength(1);
    played.isAway = false;
    played.now += 30_000;
    await knowledge.learn();
    expect(knowledge.facts()).toBeDefined();
  });

  it('is waited for no longer than the one who asks wants to, and leaves nothing behind there', async () => {
    const { knowledge, played } = playCluster();
    const leaving = new AbortController();
    for (let count = 0; count < 20; count += 1) {
      played.now += 600_000;
      await knowledge.learn(leaving.signal);
      // Nothing is asked.
      await knowledge.learn(leaving.signal);
    }
    expect(getEventListeners(leaving.signal, 'abort')).toEqual([]);
    expect(played.asked).toHaveLength(80);
    const silence = Promise.withResolvers<void>();
    played.silence = silence.promise;
    played.now += 600_000;
    const learning = knowledge.learn(leaving.signal);
    leaving.abort();
    await learning;
    await knowledge.learn(leaving.signal);
    expect(played.asked).toHaveLength(80);
    // It goes on.
    silence.resolve();
    await knowledge.learn();
    expect(played.asked).toHaveLength(84);
  });

  it('is the rest where the accounting tells nothing', async () => {
    const { knowledge, played } = playCluster();
    played.hidesUsers = true;
    await knowledge.learn();
    expect(knowledge.facts()).toMatchObject({ partitions: [{ name: 'normal' }], associations: [] });
  });
});
