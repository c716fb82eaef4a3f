import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { packagePath } from '../../../src/lib/package-root.ts';

it('finds files from the package root, wherever the process was started', () => {
  expect(existsSync(packagePath('config', 'default.toml'))).toBe(true);
  expect(existsSync(packagePath('package.json'))).toBe(true);
});
