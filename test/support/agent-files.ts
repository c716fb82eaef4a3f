/** The agent as `sh scripts/setup.sh` bundles it, and the `node` that runs it. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentFiles } from '../../launchers/host/install-agent.ts';
import { packageRoot } from './package-root.ts';

export const agentFiles: AgentFiles = {
  node: process.execPath,
  script: join(packageRoot, 'dist/abaco-agent.mjs'),
};

export async function agentAvailable(): Promise<boolean> {
  return existsSync(agentFiles.script);
}
