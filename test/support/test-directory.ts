import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The environment variable that names this run's directory; `leftovers.ts` sets it, every child inherits it. */
export const testRootVariable = 'ABACO_TEST_ROOT';

export interface TestDirectory extends AsyncDisposable {
  readonly path: string;
}

/** A new empty directory for one test, removed with all it holds when the `await using` scope ends. */
export async function makeTestDirectory(name = 'test'): Promise<TestDirectory> {
  const path = await mkdtemp(join(process.env[testRootVariable] ?? tmpdir(), `${name}-`));
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 3 }),
  };
}
