/**
 * Contract §4, where 01-transport.test.ts does not prove it already (there: the vectors, and what is no hash id).
 *
 * Not kept: an id holds no version-1 UUID but a time, a number of the process and a sequence (src/lib/ids.ts), which
 * nobody can tell from outside and which cannot collide. Internal keys that no answer shows are not tested.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createIdSource, decodeId, isId } from '../../src/lib/ids.ts';
import { as, type Client, startClient } from '../support/abaco-client.ts';

let client: Client;

beforeAll(async () => {
  client = await startClient();
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
});

describe('§4 generated ids', () => {
  it('of one instant differ, rise, and stay within 64 bits', () => {
    const source = createIdSource({ processNumber: () => 7, clock: { now: () => new Date('2026-01-01') } });
    const ids = Array.from({ length: 10_000 }, () => source.next());
    expect(new Set(ids).size).toBe(ids.length);
    const integers = ids.map((id) => decodeId(id) ?? -1n);
    expect(integers).toEqual(integers.toSorted((one, other) => (one < other ? -1 : 1)));
    expect(integers.every((integer) => integer > 0n && integer < 1n << 64n)).toBe(true);
  });

  it('are letters and digits alone, so that they fit into paths and names', async () => {
    expect(await client.register()).toMatch(/^[A-Za-z0-9]{10,14}$/);
  });
});

describe('§4 what is no hash id', () => {
  it.each(['Rr ', 'RrRr%', 'rr\0', '', 'Rr-', 'ÄÖ'])('is %j, whatever it begins with', (text) => {
    expect(isId(text)).toBe(false);
  });
});

describe('§4 tenants', () => {
  it('are upper-case, however a request spells them', async () => {
    const made = await client.send('POST /actors', as('olga'), { json: { image: 'debian' } });
    const path = `POST /actors/${made.result.id as string}/nonces`;
    const [header = ''] = Object.values(as('olga'));
    const { result } = await client.send(path, { 'X-JWT-Assertion-pHysics': header });
    expect(result.id).toMatch(/^PHYSICS_[A-Za-z0-9]+$/);
  });
});

describe('§4 internal keys', () => {
  it('of actors are TENANT_id where administrators see them', async () => {
    const actor = await client.register();
    const { result } = await client.send('GET /actors/admin', as('root', 'admin'));
    const ids = (result as { db_id?: string }[]).map(({ db_id }) => db_id);
    expect(ids).toContain(`PHYSICS_${actor}`);
  });
});
