/**
 * The program `abaco`: its roles, its checks, and the client's verbs. What a command needs of the service is imported
 * when it is called: all of it takes a second to load, and the client needs none.
 */

import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { defaultUrl, registerClientCommands, tokenHelp } from './client/commands.ts';
import type { ClusterFlags } from './cluster-commands.ts';
import type { LoadedConfig } from './config/load.ts';
import type { DryRunFlags } from './dry-run-command.ts';
import { asError, ConfigError, ServiceError } from './errors.ts';
import { optional } from './lib/optional.ts';
import { packagePath } from './lib/package-root.ts';
import type { Roles } from './main.ts';
import type { MintFlags } from './mint-command.ts';
import type { Logger } from './observability/logger.ts';

interface ConfigFlags {
  readonly config?: string;
  readonly dataDir?: string;
}

interface ServeFlags extends ConfigFlags {
  readonly dev?: boolean;
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
    const { checkConfig } = await import('./config/check-config.ts');
    process.exitCode = await checkConfig({
      ...(file === undefined ? {} : { file }),
      json: flags.json ?? false,
      write: (text) => void process.stdout.write(text),
      writeError: (text) => void process.stderr.write(text),
    });
  });

const launchers = program.command('launchers').description('The ways to run containers that are configured');

launchers
  .command('probe')
  .option('-c, --config <file>', 'site file')
  .option('--json', 'as JSON')
  .description('Says for each launcher whether it would accept work now, and what is wrong if not')
  .action(async (flags: { readonly config?: string; readonly json?: boolean }) => {
    const { printProbes } = await import('./print-probes.ts');
    const healthy = await printProbes({
      loaded: await readConfig(flags),
      log: await quietLog(),
      json: flags.json ?? false,
    });
    process.exitCode = healthy ? 0 : 1;
  });

launchers
  .command('dry-run')
  .argument('[actor]', 'an actor of the service at --url; else --image')
  .option('--image <name>', 'image; else that of the actor')
  .option('--user <name>', 'who would run it; else the owner of the actor')
  .option('--queue <name>', 'queue; else that of the actor')
  .option('--launcher <name>', 'launcher; else that of the actor, or of its queue')
  .option('--resources <name=value...>', 'as nodes=2 walltime=01:00:00, over those of the actor', [])
  .option('-c, --config <file>', 'site file')
  .addOption(new Option('--url <address>', 'where the service listens').env('ABACO_URL').default(defaultUrl))
  .option('--tenant <name>', 'tenant, where the service does not know it otherwise')
  .option('--json', 'as JSON')
  .description('Shows the script an actor would be handed over with, and what the scheduler says of it; starts nothing')
  .addHelpText('after', tokenHelp)
  .action(
    async (actorId: string | undefined, flags: DryRunFlags & { readonly config?: string; readonly json?: boolean }) => {
      const { rehearse, renderRehearsal } = await import('./dry-run-command.ts');
      const rehearsal = await rehearse({
        loaded: await readConfig(flags.config === undefined ? {} : { config: flags.config }),
        log: await quietLog(),
        actorId,
        flags: { ...flags, ...optional('token', process.env['ABACO_TOKEN']) },
      });
      const { json = false } = flags;
      process.stdout.write(json ? `${JSON.stringify(rehearsal, null, 2)}\n` : renderRehearsal(rehearsal));
      process.exitCode = rehearsal.problem === undefined && rehearsal.accepted === true ? 0 : 1;
    },
  );

const clusters = program
  .command('clusters')
  .description('The login nodes that launchers reach, and how the service gets in');

clusterCommand(clusters, 'status [name]', 'Shows who comes in where, and whether a login stands')
  .option('--json', 'as JSON')
  .action(async (name: string | undefined, flags: ConfigFlags & ClusterFlags) => {
    const { showClusters } = await import('./cluster-commands.ts');
    process.exitCode = (await showClusters(await readConfig(flags), name, flags)) ? 0 : 1;
  });
clusterCommand(
  clusters,
  'login <name>',
  'Logs in by OpenSSH, which asks in this terminal; the service goes on with it',
).action(async (name: string, flags: ConfigFlags) => {
  const { logInTo } = await import('./cluster-commands.ts');
  await logInTo(await readConfig(flags), name);
});
clusterCommand(clusters, 'logout <name>', 'Ends the login, and all that goes through it').action(
  async (name: string, flags: ConfigFlags) => {
    const { logOutOf } = await import('./cluster-commands.ts');
    await logOutOf(await readConfig(flags), name);
  },
);
clusterCommand(clusters, 'sudoers <name>', 'Prints the line of sudo that lets the service account become its users')
  .option('--group <name>', 'group of the users', 'users')
  .action(async (name: string, flags: ConfigFlags & { readonly group: string }) => {
    const { showSudoers } = await import('./cluster-commands.ts');
    await showSudoers(await readConfig(flags), name, flags.group);
  });

const keys = clusters.command('keys').description('Keys with which users come in by themselves, kept encrypted');

clusterCommand(keys, 'add <name> <user>', 'Keeps a private key, from a file or from standard input')
  .option('--file <file>', 'file with the key; else standard input')
  .action(async (name: string, user: string, flags: ConfigFlags & { readonly file?: string }) => {
    const { addKey } = await import('./cluster-commands.ts');
    await addKey(await readConfig(flags), name, user, flags.file);
  });
clusterCommand(keys, 'list <name>', 'Shows whose keys are kept, and whether they open')
  .option('--json', 'as JSON')
  .action(async (name: string, flags: ConfigFlags & ClusterFlags) => {
    const { showKeys } = await import('./cluster-commands.ts');
    process.exitCode = (await showKeys(await readConfig(flags), name, flags)) ? 0 : 1;
  });
clusterCommand(keys, 'remove <name> <user>', 'Forgets the key of a user').action(
  async (name: string, user: string, flags: ConfigFlags) => {
    const { removeKey } = await import('./cluster-commands.ts');
    await removeKey(await readConfig(flags), name, user);
  },
);

const images = program.command('images').description('The images that clusters keep');

imagesCommand('list', 'Lists them: of which digest, how large, when last used, and whether an actor needs them').action(
  async (launcher: string | undefined, flags: ImagesOptions) => {
    const { listImages } = await import('./images-command.ts');
    await listImages({ launcher, json: flags.json ?? false }, await readConfig(flags), await quietLog());
  },
);

imagesCommand('prune', 'Removes those that are old and that no actor needs, and nothing that is in use')
  .option('--older-than <duration>', 'since they were last used; an hour at least', '30d')
  .option('--dry-run', 'only say which')
  .action(async (launcher: string | undefined, flags: ImagesOptions) => {
    const { json = false, dryRun = false, olderThan = '30d' } = flags;
    const { pruneImages } = await import('./images-command.ts');
    await pruneImages({ launcher, json, dryRun, olderThan }, await readConfig(flags), await quietLog());
  });

program
  .command('secrets')
  .description('What is encrypted by secrets.key_file')
  .command('reseal')
  .option('-c, --config <file>', 'site file; else the one ABACO_CONFIG names')
  .option('--data-dir <directory>', 'where the service keeps what must survive')
  .option('--dry-run', 'only say how many')
  .option('--json', 'as JSON')
  .description('Seals secrets under the newest key that are under one of before, which then can go')
  .action(async (flags: ConfigFlags & { readonly dryRun?: boolean; readonly json?: boolean }) => {
    const { dryRun = false, json = false } = flags;
    const { resealSecrets } = await import('./secrets-command.ts');
    const allOpen = await resealSecrets({ dryRun, json, writtenBy: `abaco-hpc ${version}` }, await readConfig(flags));
    process.exitCode = allOpen ? 0 : 1;
  });

program
  .command('agent')
  .requiredOption('--stdio', 'frames on standard input and output')
  .description('Does on its host what a service asks; started by one, not by people')
  .action(async () => {
    const { serveAgent } = await import('./main.ts');
    await serveAgent({ version, input: process.stdin, output: process.stdout });
  });

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
    const { mintFor } = await import('./mint-command.ts');
    process.stdout.write(`${await mintFor(flags, await readConfig(flags))}\n`);
  });

registerClientCommands(program);

function clusterCommand(parent: Command, name: string, description: string): Command {
  return parent
    .command(name)
    .description(description)
    .option('-c, --config <file>', 'site file; else the one ABACO_CONFIG names')
    .option('--data-dir <directory>', 'where the service keeps what must survive');
}

interface ImagesOptions extends ConfigFlags {
  readonly json?: boolean;
  readonly olderThan?: string;
  readonly dryRun?: boolean;
}

function imagesCommand(name: string, description: string): Command {
  return images
    .command(name)
    .argument('[launcher]', 'of one launcher; else of all that keep images')
    .option('-c, --config <file>', 'site file; else the one ABACO_CONFIG names')
    .option('--data-dir <directory>', 'where the service keeps what must survive')
    .option('--json', 'as JSON')
    .description(description);
}

async function quietLog(): Promise<Logger> {
  const { createLogger } = await import('./observability/logger.ts');
  return createLogger({ level: 'warn', pretty: true });
}

function serveCommand(name: string, description: string, roles: Roles): void {
  program
    .command(name)
    .description(description)
    .option('-c, --config <file>', 'site file; else the one ABACO_CONFIG names')
    .option('--dev', 'lays config/dev.toml below the site file')
    .option('--data-dir <directory>', 'where everything that must survive is kept')
    .option('--host <address>', 'address to listen on')
    .option('--port <number>', 'port to listen on; 0 takes a free one')
    .action(async (flags: ServeFlags) => {
      const { serve } = await import('./serve.ts');
      await serve({ loaded: await readConfig(flags), roles, version });
    });
}

/** Flags of the command line are the last layer, in the spelling of the environment. */
async function readConfig(flags: ServeFlags): Promise<LoadedConfig> {
  const { loadConfig } = await import('./config/load.ts');
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
