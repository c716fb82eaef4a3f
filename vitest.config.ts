import { defineConfig } from 'vitest/config';

/** What each layer may use, and how long it may take, is in test/README.md. */
const layers = {
  unit: 20_000,
  contract: 60_000,
  'contract-abaco': 60_000,
  clients: 120_000,
  integration: 60_000,
  e2e: 120_000,
};

export default defineConfig({
  test: {
    environment: 'node',
    maxWorkers: 2,
    restoreMocks: true,
    unstubEnvs: true,
    unstubGlobals: true,
    expect: { requireAssertions: true },
    dangerouslyIgnoreUnhandledErrors: false,
    silent: 'passed-only',
    reporters: ['minimal', './test/support/count-reporter.ts'],
    globalSetup: ['./test/support/leftovers.ts'],
    projects: Object.entries(layers).map(([name, timeoutMs]) => ({
      extends: true as const,
      test: {
        name,
        include: [`test/${name}/**/*.test.ts`],
        testTimeout: timeoutMs,
        hookTimeout: Math.max(timeoutMs, 30_000),
        // Nothing there is left behind in a module, and a process for each file takes longer than the tests.
        isolate: name !== 'unit',
      },
    })),
  },
});
