import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { configSchema } from '../../../src/config/schema.ts';
import { packageRoot } from '../../support/package-root.ts';

it('has every setting of [compat] in config/README.md with the lenient way, who relies on it, and the strict one', async () => {
  const text = await readFile(join(packageRoot, 'config', 'README.md'), 'utf8');
  for (const name of Object.keys(configSchema.properties.compat.properties)) {
    const row = text.split('\n').find((line) => line.startsWith(`| \`${name}\``)) ?? '';
    expect(
      row.split('|').filter((cell) => cell.trim() !== ''),
      name,
    ).toHaveLength(4);
  }
});
