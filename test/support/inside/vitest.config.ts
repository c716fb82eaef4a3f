/** For the suites that run in a container of the cluster, where the checkout cannot be written to. */

import { defineConfig } from 'vitest/config';

export default defineConfig({
  cacheDir: '/tmp/vite',
  test: {
    environment: 'node',
    include: ['test/support/inside/*.suite.ts'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    maxWorkers: 1,
    reporters: [['json', { outputFile: '/tmp/report.json' }]],
  },
});
