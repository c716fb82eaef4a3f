import { writeFileSync } from 'node:fs';

import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/**
 * Counts tests for the last line of `npm test`, into the file named by `ABACO_TEST_COUNT`. A file that could not be
 * loaded and an error outside of any test count as one failure each, so that trouble never looks like success.
 */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    const broken = modules.filter((module) => module.errors().length > 0).length;
    const totals = { passed: count('passed'), failed: count('failed') + broken + unhandled.length };
    const skipped = count('skipped');
    const file = process.env['ABACO_TEST_COUNT'];
    if (file) writeFileSync(file, `${totals.passed} ${totals.failed} ${skipped}\n`);
  }
}
