/** The verbs that look at what is there. Each returns its exit code. */

import type { Clock } from '../lib/clock.ts';
import { detailColumns, detailsOf, executionColumns } from './execution-table.ts';
import { renderJson, renderTable } from './output.ts';
import { printResult, printResultsAsJson, takeResults } from './print-results.ts';
import { openResultFile } from './result-file.ts';
import type { Screen } from './screen.ts';
import type { Service } from './service.ts';
import { watchExecution } from './watch-execution.ts';

interface ShowActor {
  readonly service: Service;
  readonly screen: Screen;
  readonly actorId: string;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

interface ShowExecution extends ShowActor {
  readonly executionId: string;
}

interface ShowLog extends ShowExecution {
  readonly clock: Clock;
  readonly follow: boolean;
}

interface ShowResults extends ShowExecution {
  /** File to write them to. */
  readonly output?: string;
}

export async function showExecutions({ service, screen, actorId, json }: ShowActor): Promise<number> {
  const executions = await service.executions(actorId);
  if (json) await screen.write(renderJson(executions.map(({ source }) => source)));
  else await screen.write(renderTable(executionColumns, executions, screen));
  return 0;
}

export async function showExecution({ service, screen, actorId, executionId, json }: ShowExecution): Promise<number> {
  const execution = await service.execution(actorId, executionId);
  if (json) await screen.write(renderJson(execution.source));
  else await screen.write(renderTable(detailColumns, detailsOf(execution), screen));
  return 0;
}

export async function showLog(options: ShowLog): Promise<number> {
  const { service, screen, actorId, executionId, json, follow } = options;
  let log = '';
  const writeLog = async (text: string): Promise<void> => {
    if (json) log += text;
    else await screen.write(text);
  };
  if (follow) await watchExecution({ ...options, writeLog });
  else await writeLog(await service.log(actorId, executionId));
  if (json) await screen.write(renderJson({ log }));
  return 0;
}

export async function showResults(options: ShowResults): Promise<number> {
  const { screen, json, output } = options;
  const results = takeResults(options);
  if (output !== undefined) {
    await using file = await openResultFile(output);
    screen.note(await file.save(results));
    return 0;
  }
  if (json) await printResultsAsJson(results, screen);
  else for await (const result of results) await printResult(result, screen);
  return 0;
}
