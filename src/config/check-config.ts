import { ConfigError } from '../errors.ts';
import type { Environment } from './environment-layer.ts';
import { loadConfig } from './load.ts';
import { renderConfig, showSettings } from './render-config.ts';

/** EX_CONFIG of sysexits.h. */
const mistakenConfig = 78;

export interface CheckConfigOptions {
  readonly file?: string;
  readonly env?: Environment;
  readonly cwd?: string;
  readonly json?: boolean;
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
}

/** Body of `abaco check-config`: shows what would be used, or every mistake. @returns the exit code. */
export async function checkConfig({
  write,
  writeError,
  json = false,
  ...options
}: CheckConfigOptions): Promise<number> {
  try {
    const loaded = loadConfig(options);
    write(json ? `${JSON.stringify({ ok: true, settings: showSettings(loaded) }, null, 2)}\n` : renderConfig(loaded));
    return 0;
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown;
    if (json) write(`${JSON.stringify({ ok: false, problems: thrown.problems }, null, 2)}\n`);
    writeError(`${thrown.message}\n`);
    return mistakenConfig;
  }
}
