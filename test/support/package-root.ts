import { fileURLToPath } from 'node:url';

/** Where package.json is. */
export const packageRoot = fileURLToPath(new URL('../..', import.meta.url));
