import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../../src/config/check-config.ts';
import { makeTestDirectory } from '../../support/test-directory.ts';

async function check(toml: string, json = false) {
  await using directory = await makeTestDirectory('check');
  writeFileSync(join(directory.path, 'site.toml'), toml);
  let output = '';
  let errors = '';
  const exitCode = await checkConfig({
    file: 'site.toml',
    cwd: directory.path,
    env: { HOME: '/home/ada' },
    json,
    write: (text) => (output += text),
    writeError: (text) => (errors += text),
  });
  return { exitCode, output, errors };
}

describe('checkConfig', () => {
  it('prints the merged configuration and gives exit code 0', async () => {
    const { exitCode, output, errors } = await check('[service]\nport = 81\n');
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' });
    expect(output).toMatch(/^port = 81 +# from site\.toml:2$/m);
  });

  it('prints every mistake on standard error and gives exit code 78', async () => {
    const { exitCode, output, errors } = await check('[service]\nport = -1\nhots = "x"\n');
    expect({ exitCode, output }).toEqual({ exitCode: 78, output: '' });
    expect(errors).toBe(
      'site.toml:2: Setting "service.port" expects an integer from 0 to 65535, found -1\n' +
        'site.toml:3: Setting "service.hots" is not known; the nearest known one is "service.host"\n',
    );
  });

  it('prints both as JSON when asked', async () => {
    const good = await check('[service]\nport = 81\n', true);
    expect(JSON.parse(good.output)).toMatchObject({
      ok: true,
      settings: expect.arrayContaining([{ path: 'service.port', value: 81, origin: 'site.toml:2' }]) as unknown,
    });
    const bad = await check('[service]\nport = -1\n', true);
    expect(bad.exitCode).toBe(78);
    expect(JSON.parse(bad.output)).toMatchObject({
      ok: false,
      problems: [{ path: 'service.port', where: 'site.toml:2' }],
    });
  });
});
