import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { renderConfig, showSettings } from '../../../src/config/render-config.ts';
import { packagePath } from '../../../src/lib/package-root.ts';
import { makeTestDirectory } from '../../support/test-directory.ts';

const env = { HOME: '/home/ada' };

const withSecrets = `
[redis]
url = "redis://:geheim@h"
[registries."r:5000"]
username = "ada"
password = "geheim"
[launchers.far]
kind = "slurm"
private_key = "geheim"
hosts = [{ name = "a", token = "geheim" }, "ssh://ada:geheim@b"]
[launchers.far.deep."odd key"]
secret_word = "geheim"
port = 22
since = 1979-05-27
`;

describe('renderConfig', () => {
  it('writes TOML that gives the same configuration again', async () => {
    await using directory = await makeTestDirectory('render');
    const first = loadConfig({ env, file: packagePath('config', 'example-site.toml') });
    writeFileSync(join(directory.path, 'again.toml'), renderConfig(first));
    const again = loadConfig({ env, file: join(directory.path, 'again.toml') });
    expect(again.config).toEqual(first.config);
  });

  it('says where each setting came from', () => {
    const lines = renderConfig(loadConfig({ env: { ...env, ABACO_LOGS_KEEP: '1h' } })).split('\n');
    const settings = lines.filter((line) => line.includes(' = '));
    expect(settings.filter((line) => !/ {2}# from \S/.test(line))).toEqual([]);
    expect(lines.find((line) => line.startsWith('keep = "1h"'))).toMatch(/# from environment ABACO_LOGS_KEEP$/);
  });

  it('shows secrets in no form, also those in the options of a launcher', async () => {
    await using directory = await makeTestDirectory('render');
    const file = join(directory.path, 'site.toml');
    writeFileSync(file, withSecrets);
    const loaded = loadConfig({ env, file });
    expect(loaded.config.redis.url).toBe('redis://:geheim@h');
    for (const text of [renderConfig(loaded), JSON.stringify(showSettings(loaded))])
      expect(text).not.toContain('geheim');
    expect(parse(renderConfig(loaded))).toMatchObject({
      redis: { url: 'redis://:********@h' },
      registries: { 'r:5000': { username: 'ada', password: '********' } },
      launchers: {
        far: {
          private_key: '********',
          hosts: [{ name: 'a', token: '********' }, 'ssh://ada:********@b'],
          deep: { 'odd key': { secret_word: '********', port: 22 } },
        },
      },
    });
  });
});
