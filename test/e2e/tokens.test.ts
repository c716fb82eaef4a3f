/** A service whose tenant asks for a token, as its users and the development key of the site meet it. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AbacoUp, runAbaco, startAbacoUp } from '../support/abaco-up.ts';
import { programAvailable } from '../support/program.ts';
import { requireService } from '../support/services.ts';
import { makeTestDirectory, type TestDirectory } from '../support/test-directory.ts';
import { makeTestKey } from '../support/tokens.ts';

describe.runIf(requireService('redis', await programAvailable('redis-server')))('a tenant with a key', () => {
  let directory: TestDirectory;
  let site: string;
  let up: AbacoUp;

  beforeAll(async () => {
    directory = await makeTestDirectory('tokens');
    await writeFile(join(directory.path, 'key.pem'), makeTestKey().privatePem, { mode: 0o600 });
    site = join(directory.path, 'site.toml');
    const launcher = '[service]\ndefault_launcher = "mock"\n[launchers.mock]\nkind = "mock"\n';
    const tenants = '[tenants.LAB]\ndevelopment_key_file = "key.pem"\n[tenants.EMPTY]\nmode = "none"\n';
    await writeFile(site, `${launcher}${tenants}[auth]\ndefault_tenant = "LAB"\n`);
    up = await startAbacoUp({ ABACO_CONFIG: site });
  });

  afterAll(async () => {
    await up[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });

  const mint = async (...args: readonly string[]) => await runAbaco(['token', 'mint', '--config', site, ...args]);

  it('lets in whoever has a token that was minted, as the user it is for', async () => {
    const minted = await mint('--user', 'alice', '--ttl', '5m');
    expect(minted).toMatchObject({ exitCode: 0, errors: '' });
    const env = { ABACO_TOKEN: minted.output.trim() };
    const answer = await fetch(`${up.url}/actors/v2`, {
      method: 'POST',
      headers: { authorization: `Bearer ${env.ABACO_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ image: 'scripted' }),
    });
    const { result } = (await answer.json()) as { readonly result: { readonly id: string; readonly owner: string } };
    expect(result.owner).toBe('alice');
    expect(await up.abaco(['executions', result.id], { env })).toMatchObject({ exitCode: 0, errors: '' });
    const other = { ABACO_TOKEN: (await mint('--user', 'bob')).output.trim() };
    expect(await up.abaco(['executions', result.id], { env: other })).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('you do not have access to this actor') as string,
    });
  });

  it('tells everybody else what is missing', async () => {
    expect(await up.abaco(['executions', 'MLkxO0NAKyGD'])).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('No JWT or nonce provided. Send one as "X-Jwt-Assertion-LAB"') as string,
    });
  });

  it.each([
    [['--user', 'a@b'], 'User "a@b" is no name'],
    [['--user', 'alice', '--ttl', 'soon'], '--ttl "soon" is no duration'],
    [['--user', 'alice', '--tenant', 'OTHER'], 'The configuration has no [tenants.OTHER]'],
    [
      ['--user', 'alice', '--tenant', 'EMPTY'],
      'Tenant "EMPTY" has no development key: make a key with "openssl genrsa',
    ],
  ])('mints none for %j', async (args, reason) => {
    const { exitCode, output, errors } = await mint(...args);
    expect({ exitCode, output }).toEqual({ exitCode: 1, output: '' });
    expect(errors).toContain(reason);
  });
});
