/** The agent: a host of its own machine, asked over its standard input and output. It ends with them. */

import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { dirname } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { asError, ServiceError } from '../../../src/errors.ts';
import { syncDirectory, writeFully } from '../../../src/lib/durable-file.ts';
import { withFileErrors } from '../file-errors.ts';
import { createLocalHost } from '../local-host.ts';
import { runProgram } from '../run-program.ts';
import { createFrameReader, encodeFrame, type Frame, type FrameError, gatherFrames } from './frames.ts';
import type { Answer, Verb, Verbs } from './verbs.ts';

export interface AgentOptions {
  readonly version: string;
  readonly input: Readable;
  readonly output: Writable;
}

/** Resolves when the other side has closed; what was still running for it is killed. */
export async function serveAgent({ version, input, output }: AgentOptions): Promise<void> {
  const asked = new Map<number, AbortController>();
  const uploads = createUploads();
  const handlers = createHandlers(uploads);

  async function serve(id: number, verb: string, args: unknown, body: Uint8Array): Promise<void> {
    const controller = new AbortController();
    asked.set(id, controller);
    try {
      const handler = (handlers as Readonly<Record<string, Handler<Verb> | undefined>>)[verb];
      if (!handler) throw new Error(`The agent knows no verb "${verb}"`);
      const { value, bytes } = await handler(args as never, body, controller.signal);
      send(encodeFrame({ kind: 'answer', id, value }, bytes));
    } catch (thrown) {
      send(encodeFrame({ kind: 'refusal', id, error: describe(thrown) }));
    } finally {
      asked.delete(id);
    }
  }

  const send = gatherFrames((bytes) => {
    if (output.writable) output.write(bytes);
  });

  const read = createFrameReader(({ head, body }: Frame) => {
    if (head.kind === 'ask') void serve(head.id, head.verb, head.args, Uint8Array.from(body));
    if (head.kind === 'forget') asked.get(head.id)?.abort(new Error('the service forgot it'));
  });

  send(encodeFrame({ kind: 'hello', version, user: userInfo().username, host: hostname() }));
  output.on('error', () => input.destroy());
  try {
    for await (const piece of input as AsyncIterable<Buffer>) read(piece);
  } catch {
    // A channel that broke is a channel that closed.
  }
  for (const controller of asked.values()) controller.abort(new Error('the channel closed'));
  await uploads.drop();
}

type Handler<V extends Verb> = (args: Verbs[V]['args'], body: Uint8Array, signal: AbortSignal) => Promise<Answer<V>>;

function createHandlers(uploads: Uploads): { readonly [V in Verb]: Handler<V> } {
  const local = (roots: readonly string[] = []) => createLocalHost({ name: 'this host', scratchRoots: roots });
  const host = local();
  return {
    async run({ command }, body, signal) {
      const stdin = body.byteLength === 0 ? {} : { stdin: body };
      return { value: await runProgram('this host', { ...command, ...stdin }, signal) };
    },
    async read({ path, ...range }) {
      const chunks = await Array.fromAsync(host.get(path, range));
      return { value: null, bytes: Buffer.concat(chunks) };
    },
    async readMany({ reads }) {
      const parts = await host.readMany(reads);
      const value = parts.map((part) => (part ? { bytes: part.bytes.byteLength, size: part.size } : null));
      return { value, bytes: Buffer.concat(parts.map((part) => part?.bytes ?? new Uint8Array())) };
    },
    async put({ path, mode }, body) {
      await host.put(path, body, { mode });
      return { value: null };
    },
    async beginPut({ path, mode }) {
      return { value: await uploads.begin(path, mode) };
    },
    async putChunk({ upload }, body) {
      await uploads.write(upload, body);
      return { value: null };
    },
    async endPut({ upload, keep }) {
      await uploads.end(upload, keep);
      return { value: null };
    },
    async link({ path, target }) {
      return { value: await host.link(path, target) };
    },
    async readLinks({ paths }) {
      return { value: (await host.readLinks(paths)).map((target) => target ?? null) };
    },
    async hash({ path }) {
      return { value: await host.hash(path) };
    },
    async makeDirectory({ path, mode }) {
      await host.makeDirectory(path, mode);
      return { value: null };
    },
    async list({ path }) {
      return { value: (await host.list(path)) ?? null };
    },
    async removeTree({ path, roots }) {
      await local(roots).removeTree(path);
      return { value: null };
    },
    async waitForChange({ path, timeoutMs }, _body, signal) {
      await host.waitForChange(path, timeoutMs, signal);
      return { value: null };
    },
  };
}

interface Uploads {
  begin(path: string, mode: number): Promise<number>;
  write(upload: number, bytes: Uint8Array): Promise<void>;
  /** Syncs and renames it, or throws it away. */
  end(upload: number, keep: boolean): Promise<void>;
  drop(): Promise<void>;
}

interface Upload {
  readonly path: string;
  readonly temporary: string;
  readonly file: FileHandle;
  written: number;
}

/** Files that are being written piece by piece; none is seen under its own name before its end. */
function createUploads(): Uploads {
  const uploads = new Map<number, Upload>();
  let last = 0;

  function take(number: number): Upload {
    const upload = uploads.get(number);
    if (!upload) throw new Error(`There is no upload ${number}`);
    return upload;
  }

  async function end(number: number, keep: boolean): Promise<void> {
    const { path, temporary, file } = take(number);
    uploads.delete(number);
    await withFileErrors('this host', path, async () => {
      try {
        if (keep) await file.sync();
        await file.close();
        if (!keep) return;
        await rename(temporary, path);
        await syncDirectory(dirname(path));
      } finally {
        await rm(temporary, { force: true });
      }
    });
  }

  return {
    async begin(path, mode) {
      const temporary = `${path}.${randomBytes(6).toString('hex')}`;
      const file = await withFileErrors('this host', path, async () => {
        const opened = await open(temporary, 'wx', mode);
        await opened.chmod(mode);
        return opened;
      });
      uploads.set((last += 1), { path, temporary, file, written: 0 });
      return last;
    },
    async write(number, bytes) {
      const upload = take(number);
      await withFileErrors('this host', upload.path, async () => {
        await writeFully(upload.file, bytes, upload.written);
        upload.written += bytes.byteLength;
      });
    },
    end,
    async drop() {
      for (const number of uploads.keys()) await end(number, false).catch(() => undefined);
    },
  };
}

function describe(thrown: unknown): FrameError {
  const { name, message } = asError(thrown);
  return { type: name, message, code: thrown instanceof ServiceError ? thrown.code : '' };
}
