/**
 * The service as a process of a test: composed as `abaco api` and `abaco supervisor` are, with checkpoints that kill or
 * freeze it. Arguments: site file, roles (`api`, `supervisor`, or both with a comma), where to write its addresses.
 *
 * `ABACO_TEST_CHECKPOINT` is `POINT kill FILE` or `POINT stop FILE`: at the first pass of that point the file is written,
 * then the process gets SIGKILL or SIGSTOP.
 */

import { writeFileSync } from 'node:fs';
import { loadConfig } from '../../src/config/load.ts';
import { compose } from '../../src/main.ts';
import { createLogger } from '../../src/observability/logger.ts';

const [file = '', roles = '', addressFile = ''] = process.argv.slice(2);
const [point = '', action = '', hitFile = ''] = (process.env['ABACO_TEST_CHECKPOINT'] ?? '').split(' ');
let passed = false;

const service = await compose({
  loaded: loadConfig({ file }),
  roles: { api: roles.includes('api'), supervisor: roles.includes('supervisor'), alone: false },
  version: '0.0.0-test',
  log: createLogger({ level: process.env['ABACO_TEST_LOG'] ?? 'warn', pretty: false }),
  checkpoint: async (here) => {
    if (here !== point || passed) return;
    passed = true;
    writeFileSync(hitFile, here);
    process.kill(process.pid, action === 'stop' ? 'SIGSTOP' : 'SIGKILL');
  },
});
writeFileSync(addressFile, service.addresses.join('\n') || 'none');
process.once('SIGTERM', () => void service.drain().then(() => process.exit(0)));
