/**
 * All that the OpenAPI document describes, asked by Schemathesis in three roles: no 5xx, no status and no content type
 * that the document does not name, no answer against its schema. test/schemathesis/schemathesis.toml says which checks
 * are off, and why. `npm run test:schemathesis` asks at least 20,000 times, by another seed each time, of each kind of history.
 */

import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mongoAvailable } from '../../support/mongo-server.ts';
import {
  type Keeper,
  type SchemathesisBench,
  schemathesisAvailable,
  startSchemathesisBench,
  who,
} from '../../support/schemathesis.ts';
import { requireService } from '../../support/services.ts';

const long = process.env['ABACO_TEST_SCHEMATHESIS'] === 'long';
const seed = Number(process.env['ABACO_TEST_SEED'] ?? (long ? randomInt(1_000_000_000) : 1));
const examples = long ? 50 : 2;
const timeoutMs = long ? 1_800_000 : 180_000;

const keepers: readonly Keeper[] = long ? ['sqlite', 'mongodb'] : ['sqlite'];
const canKeep = !long || requireService('mongo', await mongoAvailable());
const canRun = canKeep && requireService('schemathesis', await schemathesisAvailable());

describe.runIf(canRun).each(keepers)('the API under Schemathesis, its history in %s', (keeper) => {
  let bench: SchemathesisBench;
  let total = 0;

  beforeAll(async () => {
    bench = await startSchemathesisBench(keeper);
  });
  afterAll(async () => {
    await bench?.[Symbol.asyncDispose]();
    process.stderr.write(`schemathesis: ${total} requests over ${keeper}, seed ${seed}\n`);
  });

  it.runIf(long).each(who)(
    'answers %s as its document says',
    async (asked) => {
      const { exitCode, requests, output } = await bench.run(asked, { seed, examples });
      total += requests;
      expect(exitCode, output).toBe(0);
      expect(requests).toBeGreaterThan(500);
    },
    timeoutMs,
  );

  it.each(who)(
    'answers %s as its document says, about an actor that is there',
    async (asked) => {
      const actorId = await bench.registerActor();
      const { exitCode, requests, output } = await bench.run(asked, { seed, examples, actorId });
      total += requests;
      expect(exitCode, output).toBe(0);
      expect(requests).toBeGreaterThan(300);
    },
    timeoutMs,
  );

  it.runIf(long)('was asked at least 20,000 times', () => {
    expect(total).toBeGreaterThanOrEqual(20_000);
  });
});
