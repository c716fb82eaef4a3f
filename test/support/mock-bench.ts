import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createMockEngine } from '../../launchers/mock/mock-engine.ts';
import { mockKind } from '../../launchers/mock/mock-launcher.ts';
import { attemptKey } from '../../src/launcher/attempt-key.ts';
import { optional } from '../../src/lib/optional.ts';
import type { LauncherBench, TestProgram } from './launcher-contract.ts';
import { silentLog } from './silent-log.ts';
import { makeTestDirectory } from './test-directory.ts';

export async function makeMockBench(): Promise<LauncherBench> {
  const directory = await makeTestDirectory('mock-launcher');
  const engineDir = join(directory.path, 'engine');
  const goFile = (key: string) => join(directory.path, `${key}.go`);

  async function leftoversOf(installationId: string): Promise<string[]> {
    const runs = await readdir(join(directory.path, installationId, 'run')).catch(() => []);
    const containers = await readdir(join(engineDir, installationId)).catch(() => []);
    return [...runs, ...containers];
  }

  return {
    image: 'mock/program:1',
    open({ installation = 'first', checkpoint = async () => {} } = {}) {
      const dataDir = join(directory.path, installation);
      const context = {
        installationId: installation,
        dataDir,
        nativeDir: '/',
        registries: {},
        log: silentLog,
        checkpoint,
      };
      return mockKind.create('local', { run: 0, engine: engineDir }, context);
    },
    describe: (program, ref) => ({
      argv: ['mock'],
      mounts: [],
      environment: environmentOf(program, goFile(attemptKey(ref))),
    }),
    async starts(ref) {
      const text = await readFile(join(engineDir, 'starts'), 'utf8').catch(() => '');
      return text.split('\n').filter((line) => line === `first ${attemptKey(ref)}`).length;
    },
    release: (ref) => writeFile(goFile(attemptKey(ref)), ''),
    vanish: (ref) => createMockEngine({ dir: engineDir, installationId: 'first' }).remove(ref),
    leftovers: async () => [...(await leftoversOf('first')), ...(await leftoversOf('second'))],
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

function environmentOf(program: TestProgram, untilFile: string): Record<string, string> {
  return {
    MOCK_EXIT_CODE: String(program.exitCode ?? 0),
    ...optional('MOCK_LOG', program.log?.join('\n')),
    ...optional('MOCK_RESULTS', program.results && JSON.stringify(program.results)),
    ...optional('MOCK_UNTIL_FILE', program.holds ? untilFile : undefined),
    ...optional('MOCK_IGNORE_TERM', program.ignoresTerm ? '1' : undefined),
    ...optional('MOCK_SHOW', program.showsVariable),
    ...optional('MOCK_SHOW_BINARY', program.showsBinaryMessage ? '1' : undefined),
    ...optional('MOCK_MISSING', program.isMissing ? '1' : undefined),
  };
}
