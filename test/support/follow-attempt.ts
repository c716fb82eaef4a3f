import type {
  ExecutionOutput,
  LaunchEnd,
  LaunchEvent,
  Launcher,
  LaunchHandle,
  Usage,
} from '../../src/launcher/launcher.ts';

/** All events of an attempt, up to its end. */
export async function follow(launcher: Launcher, handle: LaunchHandle, mostMs = 30_000): Promise<LaunchEvent[]> {
  const events: LaunchEvent[] = [];
  for await (const event of launcher.watch(handle, AbortSignal.timeout(mostMs))) events.push(event);
  return events;
}

export function endIn(events: readonly LaunchEvent[]): LaunchEnd {
  const last = events.at(-1);
  if (last === undefined || last.kind === 'queued' || last.kind === 'running') throw new Error('The watch gave no end');
  return last;
}

export async function followToEnd(launcher: Launcher, handle: LaunchHandle, mostMs?: number): Promise<LaunchEnd> {
  return endIn(await follow(launcher, handle, mostMs));
}

export interface ReadOutput {
  readonly log: string;
  readonly results: readonly string[];
  readonly logTruncated: boolean;
  readonly usage: Usage | undefined;
}

export async function readOutput(output: ExecutionOutput): Promise<ReadOutput> {
  const log = await readText(output.readLog(0));
  const results = await readTexts(output.readResults(0));
  return { log, results, logTruncated: output.logTruncated, usage: output.usage };
}

export async function readBytes(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

export async function readText(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  return (await readBytes(chunks)).toString();
}

export async function readTexts(chunks: AsyncIterable<Uint8Array>): Promise<string[]> {
  const texts: string[] = [];
  for await (const chunk of chunks) texts.push(Buffer.from(chunk).toString());
  return texts;
}
