import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { readLauncherOptions } from '../../../src/config/launcher-options.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { makeTestDirectory } from '../../support/test-directory.ts';

const schema = Type.Object(
  {
    socket: Type.String({ default: '/var/run/docker.sock' }),
    pull: Type.Union([Type.Literal('missing'), Type.Literal('always')], { default: 'missing' }),
    partition: Type.String(),
    note: Type.Optional(Type.String()),
    logins: Type.Record(Type.String(), Type.Object({ password: Type.Optional(Type.String()) }), { default: {} }),
  },
  { additionalProperties: false },
);

async function read(toml: string) {
  await using directory = await makeTestDirectory('options');
  writeFileSync(join(directory.path, 'site.toml'), `[launchers.far]\nkind = "slurm"\n${toml}`);
  const loaded = loadConfig({ cwd: directory.path, env: {}, file: 'site.toml' });
  const { options, problems } = readLauncherOptions({ name: 'far', schema, loaded });
  return { options, problems: problems.map(({ where, message }) => `${where}: ${message}`) };
}

describe('readLauncherOptions', () => {
  it('takes a relative path from the file it stands in', async () => {
    await using directory = await makeTestDirectory('options');
    const { path: at } = directory;
    const asPath = { setting: { kind: 'path', none: false } };
    const hop = Type.Object({ key_file: Type.String(asPath) });
    const far = Type.Object({ known_hosts_file: Type.String(asPath), jump: Type.Array(hop) });
    const toml = [
      '[launchers.far]',
      'kind = "slurm"',
      'known_hosts_file = "hosts"',
      'jump = [{ key_file = "keys/gate" }]',
    ];
    writeFileSync(join(at, 'site.toml'), toml.join('\n'));
    const loaded = loadConfig({ cwd: '/', env: {}, file: join(at, 'site.toml') });
    expect(readLauncherOptions({ name: 'far', schema: far, loaded })).toEqual({
      options: { known_hosts_file: join(at, 'hosts'), jump: [{ key_file: join(at, 'keys/gate') }] },
      problems: [],
    });
  });

  it('gives the table without its kind, with the defaults of the schema', async () => {
    expect(await read('partition = "long"\npull = "always"\n')).toEqual({
      options: { socket: '/var/run/docker.sock', pull: 'always', partition: 'long', logins: {} },
      problems: [],
    });
  });

  it('finds mistakes at the line of the file, and shows no secret', async () => {
    const { problems } = await read('pull = "often"\nsokcet = "/x"\n[launchers.far.logins.r]\npassword = 5318008\n');
    expect(problems).toEqual([
      'site.toml:3: Setting "launchers.far.pull" expects one of "missing", "always", found "often"',
      'site.toml:4: Setting "launchers.far.sokcet" is not known; the nearest known one is "launchers.far.socket"',
      'site.toml:6: Setting "launchers.far.logins.r.password" expects text, found a number',
      'site.toml:1: Setting "launchers.far.partition" is missing',
    ]);
  });
});
