/** The client's verbs: what they are called, what they take, and how each hands back its exit code. */

import { type Command, Option } from 'commander';
import { asError, InvalidError, ServiceError } from '../errors.ts';
import { systemClock } from '../lib/clock.ts';
import { optional } from '../lib/optional.ts';
import { holdsJson, openSource, readBatches } from './batch-lines.ts';
import { createHttp } from './http.ts';
import { type MessageFlags, parseEnvironment, readMessage } from './outgoing-message.ts';
import { runImage } from './run-image.ts';
import { createScreen, type Screen } from './screen.ts';
import { createService, type Service } from './service.ts';
import { showExecution, showExecutions, showLog, showResults } from './show.ts';
import { submitBatch } from './submit-batch.ts';
import { submitMessage } from './submit-message.ts';

/** What every verb is given beside its own arguments. */
interface VerbContext {
  readonly service: Service;
  readonly screen: Screen;
  readonly signal: AbortSignal;
}

interface SharedFlags {
  readonly url: string;
  readonly tenant?: string;
  readonly json: boolean;
}

interface RunFlags extends SharedFlags, MessageFlags {
  readonly keep: boolean;
  readonly quiet: boolean;
  readonly output?: string;
}

interface SubmitFlags extends SharedFlags, MessageFlags {
  readonly sync: boolean;
  readonly idempotencyKey?: string;
  readonly batch?: string;
  readonly jsonLines: boolean;
}

interface LogFlags extends SharedFlags {
  readonly follow: boolean;
}

interface ResultFlags extends SharedFlags {
  readonly output?: string;
}

export const tokenHelp = '\nABACO_TOKEN, in the environment, is sent as the bearer token.';

export const defaultUrl = 'http://127.0.0.1:8000';
/** What a shell reports for a program ended by SIGINT. */
const interrupted = 130;

/** Adds them to the program. Nothing is read or sent before one of them is called. */
export function registerClientCommands(program: Command): void {
  addRun(program);
  addSubmit(program);
  addExecutions(program);
  addLogs(program);
  addResults(program);
}

function addRun(program: Command): void {
  messageVerb(program, 'run <image>', 'Runs one message through an image: its log, its results, its exit code')
    .option('--keep', 'leave the actor registered, and use it again in later runs of this image', false)
    .option('-q, --quiet', 'results alone, no log', false)
    .option('-o, --output <file>', 'write results to a file')
    .action((image: string, flags: RunFlags) =>
      runVerb(flags, async (context) => {
        const message = await readMessage(flags, process.stdin);
        const { keep, quiet, json } = flags;
        const output = optional('output', flags.output);
        return await runImage({ ...context, clock: systemClock, image, message, keep, quiet, json, ...output });
      }),
    );
}

function addSubmit(program: Command): void {
  messageVerb(program, 'submit <actor>', 'Sends a message to an actor and prints the id of its execution')
    .option(
      '--sync',
      'wait for the execution, print its first result, or its log if it has none, and exit as it did',
      false,
    )
    .option('--idempotency-key <key>', 'the same key again gives the same execution again')
    .option('--batch <file>', 'each line of a file, or of standard input ("-"), as a message of its own')
    .option('--json-lines', 'the lines are JSON, as they are in a file named .jsonl or .ndjson', false)
    .action((actorId: string, flags: SubmitFlags) =>
      runVerb(flags, async (context) => {
        if (flags.batch !== undefined) return await submitLines(context, actorId, flags, flags.batch);
        if (flags.jsonLines) throw new InvalidError('request.invalid', 'Lines of JSON are wanted: give --batch FILE');
        const message = await readMessage(flags, process.stdin);
        const { sync, json, idempotencyKey } = flags;
        return await submitMessage({
          ...context,
          clock: systemClock,
          actorId,
          message,
          sync,
          json,
          ...optional('idempotencyKey', idempotencyKey),
        });
      }),
    );
}

async function submitLines(
  context: VerbContext,
  actorId: string,
  { message, file: single, env = [], sync, json, jsonLines, idempotencyKey }: SubmitFlags,
  file: string,
): Promise<number> {
  if (message !== undefined || single !== undefined || sync) {
    throw new InvalidError('request.invalid', 'A batch is sent alone: leave out --message, --file and --sync');
  }
  return await submitBatch({
    ...context,
    actorId,
    file,
    batches: readBatches(openSource(file, process.stdin, context.signal), jsonLines || holdsJson(file)),
    environment: parseEnvironment(env),
    json,
    ...optional('idempotencyKey', idempotencyKey),
  });
}

function addExecutions(program: Command): void {
  verb(program, 'executions <actor> [execution]', 'Lists the executions of an actor, or tells all about one').action(
    (actorId: string, executionId: string | undefined, flags: SharedFlags) =>
      runVerb(flags, async (context) => {
        const asked = { ...context, actorId, json: flags.json };
        return executionId === undefined ? await showExecutions(asked) : await showExecution({ ...asked, executionId });
      }),
  );
}

function addLogs(program: Command): void {
  verb(program, 'logs <actor> <execution>', 'Prints what an execution has written')
    .option('-f, --follow', 'go on until it has ended', false)
    .action((actorId: string, executionId: string, flags: LogFlags) =>
      runVerb(flags, async (context) => {
        const { json, follow } = flags;
        return await showLog({ ...context, clock: systemClock, actorId, executionId, json, follow });
      }),
    );
}

function addResults(program: Command): void {
  verb(program, 'results <actor> <execution>', 'Takes the results of an execution; each can be read once')
    .option('-o, --output <file>', 'write them to a file')
    .action((actorId: string, executionId: string, flags: ResultFlags) =>
      runVerb(flags, async (context) => {
        return await showResults({
          ...context,
          actorId,
          executionId,
          json: flags.json,
          ...optional('output', flags.output),
        });
      }),
    );
}

function verb(program: Command, usage: string, description: string): Command {
  return program
    .command(usage)
    .helpGroup('Client:')
    .description(description)
    .addOption(new Option('--url <address>', 'where the service listens').env('ABACO_URL').default(defaultUrl))
    .option('--tenant <name>', 'tenant, where the service does not know it otherwise')
    .option('--json', 'print JSON', false)
    .addHelpText('after', tokenHelp);
}

function messageVerb(program: Command, usage: string, description: string): Command {
  const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
  return verb(program, usage, description)
    .option('-m, --message <text>', 'text message, in MSG for the program')
    .option('-f, --file <file>', 'binary message from a file, or from standard input ("-")')
    .option('-e, --env <name=value>', 'variable for the program; may be repeated', collect);
}

/** The first interrupt lets the verb clean up after itself, the second leaves. So does a pipe nobody reads any more. */
async function runVerb(flags: SharedFlags, work: (context: VerbContext) => Promise<number>): Promise<void> {
  const leaving = new AbortController();
  const leave = (): void => (leaving.signal.aborted ? process.exit(interrupted) : leaving.abort());
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, leave);
  const { url, tenant } = flags;
  const http = createHttp({ url, ...optional('tenant', tenant), ...optional('token', process.env['ABACO_TOKEN']) });
  const onBroken = (reason?: ServiceError): void => leaving.abort(reason);
  const screen = createScreen({ output: process.stdout, errors: process.stderr, onBroken });
  try {
    process.exitCode = await work({ service: createService(http), screen, signal: leaving.signal });
  } catch (thrown) {
    if (!leaving.signal.aborted) throw asError(thrown);
    process.exitCode = interrupted;
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, leave);
  }
  // What could not be written is told whatever became of the rest.
  if (leaving.signal.reason instanceof ServiceError) throw leaving.signal.reason;
}
