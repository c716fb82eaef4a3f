import { EventEmitter, on } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Command } from '../../../../launchers/host/command.ts';
import type { Host } from '../../../../launchers/host/host.ts';
import { renderBuildJob, runAsJob } from '../../../../launchers/slurm/job-build.ts';
import type { JobView } from '../../../../launchers/slurm/job-poller.ts';
import { ForbiddenError, UnavailableError, UnknownOutcomeError } from '../../../../src/errors.ts';

describe('the job that builds an image', () => {
  it('keeps the exit code of its script in a file, whole or not at all', () => {
    const text = renderBuildJob("/a b/build'.sh", '/a b/exit', { time: '60', partition: '' });
    expect(text).toContain('#SBATCH --time=60\n');
    expect(text).not.toContain('partition');
    expect(text.trim().split('\n').slice(-3)).toEqual([
      `/bin/sh '/a b/build'\\''.sh'`,
      `echo $? >'/a b/exit.tmp'`,
      `mv '/a b/exit.tmp' '/a b/exit'`,
    ]);
  });

  it.each(['a b', 'x\n#SBATCH --uid=0', '"', '$(id)'])('has no option with the value %j', (value) => {
    expect(() => renderBuildJob('/x', '/y', { account: value })).toThrow(/Slurm option "account" cannot be/);
  });
});

/** A job that Slurm tells of so, and a host that reads the exit file so. */
function play() {
  const news = new EventEmitter();
  const files = { exitCode: undefined as string | undefined, error: undefined as Error | undefined, reads: 0 };
  const commands: string[] = [];
  const host = {
    put: async () => undefined,
    run: async <T>({ argv, parse }: Command<T>): Promise<T> => {
      commands.push(argv.join(' '));
      return parse({ exitCode: 0, signal: null, stdout: '12\n', stderr: '' });
    },
    readMany: async () => {
      files.reads += 1;
      if (files.error) throw files.error;
      return [files.exitCode === undefined ? undefined : { bytes: Buffer.from(files.exitCode), size: 2 }];
    },
  } as unknown as Host;
  const poller = {
    async *follow(_: unknown, signal: AbortSignal): AsyncGenerator<JobView> {
      try {
        for await (const [view] of on(news, 'view', { signal })) yield view as JobView;
      } catch {
        // It is left.
      }
    },
  };
  const told: string[] = [];
  const leaving = new AbortController();
  const run = runAsJob({ host, poller, user: 'abaco', options: { time: '60' }, lateMs: 0 });
  const running = run('/w/build.sh', leaving.signal, (text) => void told.push(text));
  running.catch(() => undefined);
  const tell = (states: readonly string[], reason = 'None'): void => {
    const job = { id: '12', ownId: 12, name: 'abaco-build', user: 'abaco', exitCode: 0, signal: 0, nodes: '' };
    news.emit('view', { kind: 'job', job: { ...job, states, reason } });
  };
  const cancelled = (): boolean => commands.includes('scancel 12');
  return { files, told, tell, running, leaving, cancelled };
}

describe('the wait for such a job', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is as long as the queue needs, and says what Slurm says', async () => {
    const { files, told, tell, running, cancelled } = play();
    await vi.advanceTimersByTimeAsync(0);
    tell(['PENDING'], 'Priority');
    await vi.advanceTimersByTimeAsync(30 * 3_600_000);
    tell(['RUNNING']);
    files.exitCode = '0\n';
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await running).toBe(0);
    expect(told).toEqual(['job 12: Other jobs are before it in the queue (Priority)']);
    expect(cancelled()).toBe(false);
  });

  it.each([
    new UnavailableError('host.unavailable', 'away'),
    new UnknownOutcomeError('host.unknown_outcome', 'cut off'),
  ])('goes on while the host cannot be asked, also past the end of the job: $message', async (error) => {
    const { files, tell, running, cancelled } = play();
    await vi.advanceTimersByTimeAsync(0);
    files.error = error;
    tell(['COMPLETED']);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(files.reads).toBeGreaterThan(100);
    [files.error, files.exitCode] = [undefined, '3\n'];
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await running).toBe(3);
    expect(cancelled()).toBe(false);
  });

  it.each([
    [
      'whoever asked has given up',
      ({ leaving }: ReturnType<typeof play>) => leaving.abort(new Error('given up')),
      'given up',
    ],
    [
      'its files cannot be read for good',
      ({ files }: ReturnType<typeof play>) => {
        files.error = new ForbiddenError('host.file_denied', 'denied');
      },
      'denied',
    ],
  ])('leaves no job behind where %s', async (_, trouble, why) => {
    const played = play();
    await vi.advanceTimersByTimeAsync(0);
    played.tell(['RUNNING']);
    trouble(played);
    await vi.advanceTimersByTimeAsync(1_000);
    await expect(played.running).rejects.toThrow(why);
    expect(played.cancelled()).toBe(true);
  });

  it('ends with the time limit of the job, in a sentence', async () => {
    const { tell, running } = play();
    await vi.advanceTimersByTimeAsync(0);
    tell(['TIMEOUT'], 'TimeLimit');
    await vi.advanceTimersByTimeAsync(5_000);
    await expect(running).rejects.toMatchObject({
      code: 'image.invalid',
      message: expect.stringMatching(/^Job 12, .* took longer than its time limit of 60 min: .*"build_time"/),
    });
  });

  it('is begun again where the job is gone and nobody knows how', async () => {
    const { tell, running } = play();
    await vi.advanceTimersByTimeAsync(0);
    tell(['NODE_FAIL']);
    await vi.advanceTimersByTimeAsync(5_000);
    await expect(running).rejects.toMatchObject({ code: 'launcher.unavailable', retryable: true });
  });
});
