/**
 * Contract §3, where 01-transport.test.ts does not prove it already: every content type, and what each kind of field takes.
 *
 * Not here: `executions` must be an object, which is a field of the original's store that nobody may set.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { as, type Client, startClient } from '../support/abaco-client.ts';

const olga = as('olga');
let client: Client;

beforeAll(async () => {
  client = await startClient();
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
});

const register = (json: object, line = 'POST /actors') => client.send(line, olga, { json });
const update = (actor: string, json: object) => client.send(`PUT /actors/${actor}`, olga, { json });

describe('§3 a field', () => {
  it('is read from multipart/form-data', async () => {
    const boundary = 'limit';
    const part = (name: string, value: string) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
    const { result } = await client.send(
      'POST /actors',
      { ...olga, 'content-type': `multipart/form-data; boundary=${boundary}` },
      { body: `${part('image', 'debian')}${part('description', 'by form')}--${boundary}--\r\n` },
    );
    expect(result).toMatchObject({ image: 'debian', description: 'by form' });
  });

  it('is read from a form with a charset', async () => {
    const headers = { ...olga, 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
    expect((await client.send('POST /actors', headers, { body: 'image=debian' })).result.image).toBe('debian');
  });

  it('that wants text takes numbers, booleans and mappings as Python writes them', async () => {
    for (const [description, shown] of [
      [5, '5'],
      [true, 'True'],
      [{ a: null }, "{'a': None}"],
    ]) {
      expect((await register({ image: 'debian', description })).result.description).toBe(shown);
    }
  });

  it.each(['5', ' 5 ', 5, 5.9, '+5'])('that wants a whole number takes %j as 5', async (log_ex) => {
    expect((await register({ image: 'debian', log_ex })).result.log_ex).toBe(5);
  });

  it.each(['5.9', 'five', '', {}])('that wants a whole number refuses %j, and is named', async (log_ex) => {
    const { status, message } = await register({ image: 'debian', log_ex });
    expect(status).toBe(400);
    expect(message).toContain("'log_ex'");
  });

  it.each(['text', 5, true])('that wants an object refuses %j, and is named', async (default_environment) => {
    const { status, message } = await register({ image: 'debian', default_environment });
    expect(status).toBe(400);
    expect(message).toContain("'default_environment'");
  });

  it('that is null is as if it were not given', async () => {
    const nulls = {
      name: null,
      description: null,
      stateless: null,
      hints: null,
      default_environment: null,
      token: null,
    };
    const { status, result } = await register({ image: 'debian', ...nulls });
    expect(status).toBe(200);
    expect(result).toMatchObject({ name: null, description: '', stateless: true, hints: [], default_environment: {} });
  });

  it('given as an empty list is as if it were not given', async () => {
    expect((await register({ image: 'debian', description: [] })).result.description).toBe('');
  });

  it('is taken from the query also where the body is JSON without it', async () => {
    expect((await register({}, 'POST /actors?image=debian')).result.image).toBe('debian');
  });
});

describe('§3 force', () => {
  it.each([true, 'true', 'false', '0', 'no', 1])('is true for %j, as any text is that is not empty', async (force) => {
    const actor = await client.register();
    expect((await update(actor, { image: 'debian', force })).result.revision).toBe(2);
  });

  it.each([false, '', 0, null])('is false for %j', async (force) => {
    const actor = await client.register();
    expect((await update(actor, { image: 'debian', force })).result.revision).toBe(1);
  });
});
