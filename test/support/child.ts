import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A program started by a test, whose last output is kept for the error that says why it did not come up. */
export interface Child extends AsyncDisposable {
  readonly pid: number;
  readonly process: ChildProcess;
  /** The last 8 KiB of both streams. */
  output(): string;
  exited(): boolean;
  /** Sends the signal and waits for the end. Again is a no-op. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export interface ChildOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

const keptOutput = 8192;

/** Starts a program; rejects when there is none. It is killed when this process exits, whatever the reason. */
export async function startChild(program: string, args: readonly string[], options: ChildOptions): Promise<Child> {
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-keptOutput);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const killAtExit = () => child.kill('SIGKILL');
  process.on('exit', killAtExit);
  child.once('close', () => process.off('exit', killAtExit));
  await once(child, 'spawn');

  const exited = () => child.exitCode !== null || child.signalCode !== null;
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    if (exited()) return;
    const end = once(child, 'exit');
    child.kill(signal);
    await end;
  };
  return {
    pid: child.pid ?? 0,
    process: child,
    output: () => output,
    exited,
    stop,
    [Symbol.asyncDispose]: () => stop('SIGKILL'),
  };
}
