/**
 * Contract §14: the numbers that stand as settings, and that the defaults are those of the contract.
 *
 * Not here: periods of the original's own machinery (autoscaler, health agent, retries of its containers), which this
 * service does not have; the pipe of 65,536 bytes, which is a file here. The limit of a log counts bytes, not
 * characters (head of 09-container.test.ts). That limits hold is tested where they bite:
 * integration/api/messages.test.ts and raw-http.test.ts, test/support/launcher-contract.ts.
 */

import { expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { as, startClient } from '../support/abaco-client.ts';

const { config } = loadConfig({ env: {} });

it('§14 results wait 1,200,000 ms, and one has 131,072 bytes at most', () => {
  expect(config.results).toMatchObject({ keepMs: 1_200_000, maxBytes: 131_072 });
});

it('§14 MSG has 131,067 bytes at most, a binary message 500,000,000', () => {
  expect(config.messages).toMatchObject({ maxTextBytes: 131_067, maxBytes: 500_000_000 });
});

it('§14 a log has 1,000,000 bytes, and is kept for 43,200 s unless its actor says so, for 86,400 s at most', () => {
  expect(config.logs).toMatchObject({ maxBytes: 1_000_000, keepMs: 43_200_000, keepLimitMs: 86_400_000 });
});

it('§14 more than 5 failed starts are ERROR', () => {
  // What they do: unit/workers/run-execution.test.ts.
  expect(config.executions.startFailures).toBe(5);
});

it('§14 a search gives 100 where nothing is said, and a listing all up to 10,000, a bound of ours', async () => {
  expect(config.limits.listing).toBe(10_000);
  await using client = await startClient();
  await Promise.all(Array.from({ length: 101 }, () => client.register()));
  const found = await client.send('GET /actors/search/actors', as('olga'));
  expect(found.result._metadata).toMatchObject({ record_limit: 100, count_returned: 100 });
  expect((await client.send('GET /actors', as('olga'))).result).toHaveLength(101);
});
