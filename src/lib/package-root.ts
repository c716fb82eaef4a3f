import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Path of a file that is not code (`config/default.toml`, a Lua script, a template), found from the package root upwards
 * of this file, so that source and build find the same one.
 */
export function packagePath(...segments: readonly string[]): string {
  return join(packageRoot(import.meta.dirname), ...segments);
}

function packageRoot(directory: string): string {
  if (existsSync(join(directory, 'package.json'))) return directory;
  const parent = dirname(directory);
  if (parent === directory) throw new Error('The package root was not found: no directory above holds a package.json');
  return packageRoot(parent);
}
