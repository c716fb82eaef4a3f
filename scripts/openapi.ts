/**
 * Writes `openapi.json`, the document that a running service answers at the same path. `--check` writes nothing and exits
 * with 1 where the file is not what the routes say now.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { renderOpenApi } from '../src/api/render-openapi.ts';
import { packagePath } from '../src/lib/package-root.ts';

const file = packagePath('openapi.json');
const document = await renderOpenApi();

if (!process.argv.includes('--check')) {
  await writeFile(file, document);
} else if ((await readFile(file, 'utf8').catch(() => '')) !== document) {
  process.stderr.write('openapi.json is not what the routes say: run "npm run openapi" and look at what changed\n');
  process.exitCode = 1;
}
