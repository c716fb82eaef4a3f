/** The program `abaco`: its roles, its checks, and the client's verbs. */

import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { registerClientCommands } from './client/commands.ts';
import { checkConfig } from './config/check-config.ts';
import { type LoadedConfig, loadConfig } from './config/load.ts';
import { asError, ConfigError, ServiceError } from './errors.ts';
import { packagePath } from './lib/package-root.ts';
import { serveAgent } from './main.ts';
import { type MintFlags, mintFor } from './mint-command.ts';
import { createLogger } from './observability/logger.ts';
import { printProbes } from './print-probes.ts';
import { type Roles, serve } from './serve.ts';

interface ServeFlags {
  readonly config?: string;
  readonly dev?: boolean;
  readonly dataDir?: string;
  readonly host?: string;
  readonly port?: string;
}

const { version } = JSON.parse(readFileSync(packagePath('package.json'), 'utf8')) as { readonly version: string };

const program = new Command('abaco')
  .description('Functions-as-a-service for scientific computing: every message runs one container')
  .version(version)
  .showHelpAfterError();

serveCommand('up', 'Everything in one process, with embedded stores where none are configured', {
  api: true,
  supervisor: true,
  alone: true,
});
serveCommand('api', 'The HTTP API alone', { api: true, supervisor: false, alone: false });
serveCommand('supervisor', 'Workers alone', { api: false, supervisor: true, alone: false });

program
  .command('check-config')
  .argument('[file]', 'site file; else the one ABACO_CONFIG names')
  .option('--json', 'as JSON')
  .description('Shows the merged configuration and where each value came from, or every mistake in it')
  .action(async (file: string | undefined, flags: { readonly json?: boolean }) => {
    process.exitCode = await checkConfig({
      ...(file === undefined ? {} : { file }),
      json: flags.json ?? false,
      write: (text) => void process.stdout.write(text),
      writeError: (text) => void process.stderr.write(text),
    });
  });

program
  .command('launchers')
  .description('The ways to run containers that are configured')
  .command('probe')
  .option('-c, --config <file>', 'site file')
  .option('--json', 'as JSON')
  .description('Says for each launcher whether it would accept work now, and what is wrong if not')
  .action(async (flags: { readonly config?: string; readonly json?: boolean }) => {
    const healthy = await printProbes({
      loaded: readConfig(flags),
      log: createLogger({ level: 'warn', pretty: true }),
      json: flags.json ?? false,
    });
    process.exitCode = healthy ? 0 : 1;
  });

program
  .command('agent')
  .requiredOption('--stdio', 'frames on standard input and output')
  .description('Does on its host what a service asks; started by one, not by people')
  .action(async () => await serveAgent({ version, input: process.stdin, output: process.stdout }));

program
  .command('token')
  .description('Tokens to try things out with')
  .command('mint')
  .requiredOption('--user <name>', 'whose token it is')
  .option('--ttl <duration>', 'how long it is good for', '1h')
  .option('--tenant <name>', 'in which tenant; else auth.default_tenant')
  .option('--role <names...>', 'roles besides Internal/everyone', [])
  .option('-c, --config <file>', 'site file; else the one ABACO_CONFIG names')
  .description("Prints a token signed with the tenant's development key")
  .action(async (flags: MintFlags & { readonly config?: string }) => {
    process.stdout.write(`${await mintFor(flags, readConfig(flags))}\n`);
  });

registerClientCommands(program);

function serveCommand(name: string, description: string, roles: Roles): void {
  program
    .command(name)
    .description(description)
    .option('-c, --config <file>', 'site file; else the one ABACO_CONFIG names')
    .option('--dev', 'lays config/dev.toml below the site file')
    .option('--data-dir <directory>', 'where everything that must survive is kept')
    .option('--host <address>', 'address to listen on')
    .option('--port <number>', 'port to listen on; 0 takes a free one')
    .action(async (flags: ServeFlags) => await serve({ loaded: readConfig(flags), roles, version }));
}

/** Flags of the command line are the last layer, in the spelling of the environment. */
function readConfig(flags: ServeFlags): LoadedConfig {
  const env = {
    ...process.env,
    ...(flags.dataDir === undefined ? {} : { ABACO_SERVICE_DATA_DIR: flags.dataDir }),
    ...(flags.host === undefined ? {} : { ABACO_SERVICE_HOST: flags.host }),
    ...(flags.port === undefined ? {} : { ABACO_SERVICE_PORT: flags.port }),
  };
  return loadConfig({ env, dev: flags.dev ?? false, ...(flags.config === undefined ? {} : { file: flags.config }) });
}

/** EX_CONFIG of sysexits.h for mistakes in the configuration, 1 for all else; a stack only for what is a bug of ours. */
function fail(thrown: unknown): never {
  const error = asError(thrown);
  process.stderr.write(`abaco: ${error instanceof ServiceError ? error.message : (error.stack ?? error.message)}\n`);
  process.exit(error instanceof ConfigError ? 78 : 1);
}

await program.parseAsync().catch(fail);
