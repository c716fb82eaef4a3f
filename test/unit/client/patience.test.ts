import { describe, expect, it } from 'vitest';
import { createPatience } from '../../../src/client/patience.ts';
import { NotFoundError, UnavailableError } from '../../../src/errors.ts';

const away = new UnavailableError('service.unreachable', 'away');

function setUp(awayMs = 50) {
  let nowMs = 0;
  const told: string[] = [];
  const leaving = new AbortController();
  const patience = createPatience({
    awayMs,
    everyMs: 0,
    signal: leaving.signal,
    clock: { now: () => new Date((nowMs += 10)) },
    onAway: (error) => told.push(error.message),
  });
  return { patience, told, leaving };
}

function failing(count: number, error: Error): () => Promise<string> {
  let left = count;
  return async () => {
    if (left-- > 0) throw error;
    return 'answer';
  };
}

describe('createPatience', () => {
  it('calls again while the service is away, and says so once', async () => {
    const { patience, told } = setUp();
    expect(await patience(failing(3, away))).toBe('answer');
    expect(told).toEqual(['away']);
  });

  it('begins anew after each answer', async () => {
    const { patience, told } = setUp();
    await patience(failing(3, away));
    await patience(failing(3, away));
    expect(told).toEqual(['away', 'away']);
  });

  it('gives up when the service stays away', async () => {
    await expect(setUp().patience(failing(100, away))).rejects.toBe(away);
  });

  it('takes a refusal as the answer it is', async () => {
    const refusal = new NotFoundError('service.refused', 'unknown');
    await expect(setUp().patience(failing(1, refusal))).rejects.toBe(refusal);
  });

  it('ends when its signal aborts', async () => {
    const { patience, leaving } = setUp(1e9);
    leaving.abort();
    await expect(patience(failing(100, away))).rejects.toBe(away);
  });
});
