import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { launcherKinds } from '../../../launchers/index.ts';
import { readLauncherOptions } from '../../../src/config/launcher-options.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { SchemaNode } from '../../../src/config/setting.ts';
import { packagePath } from '../../../src/lib/package-root.ts';
import { documentedSettings } from '../../support/documented-settings.ts';
import { makeTestDirectory } from '../../support/test-directory.ts';

const path = packagePath('config', 'launchers.toml');
const toml = readFileSync(path, 'utf8');

describe('config/launchers.toml', () => {
  it('has every option of every kind under its description, in the order of its schema, and no other', () => {
    const settings = launcherKinds.flatMap(({ options }) => Object.entries((options as SchemaNode).properties ?? {}));
    const described = settings.map(([key, { description }]) => `${key}: ${description}`);
    expect(documentedSettings(toml).filter((line) => !line.startsWith('kind: '))).toEqual(described);
  });

  it.each(launcherKinds)('gives the options of kind $kind their defaults', async ({ kind, options }) => {
    const { required = [] } = options as { readonly required?: readonly string[] };
    const shown = (parse(toml)['launchers'] as Record<string, Record<string, string>>)[kind] ?? {};
    const needed = required.map((key) => `${key} = ${JSON.stringify(shown[key])}\n`).join('');
    await using directory = await makeTestDirectory('launchers-file');
    const read = async (text: string) => {
      await writeFile(join(directory.path, 'site.toml'), text);
      const loaded = loadConfig({ cwd: directory.path, env: {}, file: 'site.toml' });
      return readLauncherOptions({ name: kind, schema: options, loaded });
    };
    const { problems, ...all } = await read(toml);
    expect(problems).toEqual([]);
    expect(all).toEqual({ options: (await read(`[launchers.${kind}]\nkind = "${kind}"\n${needed}`)).options });
  });
});
