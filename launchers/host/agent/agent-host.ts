/** A host behind an agent: every call is a frame to it and a frame back. */

import {
  asError,
  type ErrorCode,
  errorCodes,
  ForbiddenError,
  InvalidError,
  LauncherError,
  NotFoundError,
  QuotaError,
  type ServiceError,
  UnavailableError,
  UnknownOutcomeError,
} from '../../../src/errors.ts';
import { optional } from '../../../src/lib/optional.ts';
import { longMs, usualMs } from '../answer-limits.ts';
import { commandDefaults } from '../command.ts';
import type { FilePart, Host } from '../host.ts';
import { checkBelowRoots } from '../scratch-roots.ts';
import { createFrameReader, encodeFrame, type Frame, type FrameError, type FrameHead, gatherFrames } from './frames.ts';
import type { Answer, Verb, Verbs } from './verbs.ts';

/** A channel whose other end is an agent: an SSH channel, a pipe. */
export interface AgentChannel {
  write(bytes: Uint8Array): void;
  onData(listener: (bytes: Uint8Array) => void): void;
  /** Told once, with what is known of the reason. */
  onClose(listener: (reason: string) => void): void;
  close(): void;
}

export interface AgentHost extends Host {
  readonly hello: Hello;
  /** Whether its channel still stands. */
  readonly alive: boolean;
}

export type Hello = Extract<FrameHead, { readonly kind: 'hello' }>;

export interface AgentHostOptions {
  readonly name: string;
  readonly channel: AgentChannel;
  readonly scratchRoots: readonly string[];
  /** How long the agent may take to say its first word. */
  readonly helloMs: number;
}

/** Read and written at a time, so that one large file does not hold up the rest. */
const chunkBytes = 1024 * 1024;

/** Verbs that only look: cut off, they have changed nothing. */
const looks: readonly Verb[] = [
  'read',
  'readMany',
  'readLinks',
  'hash',
  'list',
  'waitForChange',
  'beginPut',
  'putChunk',
];

interface AskOptions {
  readonly body?: Uint8Array;
  readonly signal?: AbortSignal;
  /** What it may take of itself, before its silence is one. */
  readonly takesMs?: number;
  /** Undoes what was done so late that nobody waits for it. */
  readonly undo?: (answer: Answer<Verb>) => void;
}

interface Asked {
  readonly verb: Verb;
  readonly resolve: (answer: Answer<Verb>) => void;
  readonly reject: (error: Error) => void;
}

/** @throws UnavailableError when no agent answers. */
export async function connectAgent({ name, channel, scratchRoots, helloMs }: AgentHostOptions): Promise<AgentHost> {
  const asked = new Map<number, Asked>();
  const greeted = Promise.withResolvers<Hello>();
  let last = 0;
  /** Pieces that have come from the agent. */
  let pieces = 0;
  let closed: string | undefined;

  /** What is silent is of no use to anybody: the next who asks makes another. */
  function giveUp(reason: string): void {
    fail(reason);
    channel.close();
  }

  function fail(reason: string): void {
    if (closed !== undefined) return;
    closed = reason;
    greeted.reject(unavailable(name, reason));
    for (const { verb, reject } of asked.values()) reject(cutOff(name, verb, reason));
    asked.clear();
  }

  function onFrame({ head, body }: Frame): void {
    if (head.kind === 'hello') return greeted.resolve(head);
    if (head.kind !== 'answer' && head.kind !== 'refusal') return;
    const one = asked.get(head.id);
    asked.delete(head.id);
    if (head.kind === 'answer') one?.resolve({ value: head.value as never, bytes: Uint8Array.from(body) });
    else one?.reject(remake(name, head.error));
  }

  const send = gatherFrames((bytes) => {
    if (closed === undefined) channel.write(bytes);
  });
  const read = createFrameReader(onFrame);
  channel.onData((bytes) => {
    pieces += 1;
    try {
      read(bytes);
    } catch (thrown) {
      giveUp(asError(thrown).message);
    }
  });
  channel.onClose(fail);

  async function ask<V extends Verb>(
    verb: V,
    args: Verbs[V]['args'],
    { body, signal, takesMs = usualMs, undo }: AskOptions = {},
  ): Promise<Required<Answer<V>>> {
    if (closed !== undefined) throw unavailable(name, closed);
    if (signal?.aborted === true) throw cutOff(name, verb, 'it was not wanted any more', signal.reason);
    const id = (last += 1);
    const { promise, resolve, reject } = Promise.withResolvers<Answer<Verb>>();
    const before = pieces;
    const forget = (reason: string): void => {
      if (undo) asked.set(id, { verb, resolve: undo, reject: () => undefined });
      else asked.delete(id);
      send(encodeFrame({ kind: 'forget', id }));
      reject(cutOff(name, verb, reason, signal?.reason));
    };
    const unwanted = (): void => forget('it was not wanted any more');
    const tooLate = (): void => {
      const reason = `the agent did not answer "${verb}" within ${takesMs} ms`;
      // One that has said anything meanwhile takes long over this alone; what all the others have asked goes on.
      if (pieces === before) giveUp(reason);
      else forget(reason);
    };
    signal?.addEventListener('abort', unwanted, { once: true });
    const late = setTimeout(tooLate, takesMs);
    asked.set(id, { verb, resolve, reject });
    send(encodeFrame({ kind: 'ask', id, verb, args }, body));
    try {
      return (await promise) as Required<Answer<V>>;
    } finally {
      clearTimeout(late);
      signal?.removeEventListener('abort', unwanted);
    }
  }

  const timer = setTimeout(() => giveUp(`the agent said nothing for ${helloMs} ms`), helloMs);
  const hello = await greeted.promise.finally(() => clearTimeout(timer));

  return {
    name,
    hello,
    get alive() {
      return closed === undefined;
    },

    async run({ parse, stdin, ...command }, signal) {
      const body = typeof stdin === 'string' ? Buffer.from(stdin) : stdin;
      const takesMs = usualMs + (command.timeoutMs ?? commandDefaults.timeoutMs);
      const { value } = await ask('run', { command }, { ...optional('body', body), signal, takesMs });
      return parse(value);
    },

    async put(path, content, { mode = 0o600 } = {}) {
      if (content instanceof Uint8Array && content.byteLength <= chunkBytes) {
        await ask('put', { path, mode }, { body: content });
        return;
      }
      const drop = async (upload: number): Promise<unknown> =>
        await ask('endPut', { upload, keep: false }).catch(() => undefined);
      const undo = ({ value }: Answer<Verb>): void => void drop(Number(value));
      const { value: upload } = await ask('beginPut', { path, mode }, { undo });
      try {
        for await (const body of inChunks(content)) await ask('putChunk', { upload }, { body });
      } catch (thrown) {
        await drop(upload);
        throw thrown;
      }
      await ask('endPut', { upload, keep: true }, { takesMs: longMs });
    },

    async *get(path, { offset, length = Number.POSITIVE_INFINITY, followLinks = false } = { offset: 0 }) {
      for (let at = offset; at < offset + length; ) {
        const wanted = Math.min(chunkBytes, offset + length - at);
        const { bytes } = await ask('read', { path, offset: at, length: wanted, followLinks });
        if (bytes.byteLength > 0) yield bytes;
        if (bytes.byteLength < wanted) return;
        at += bytes.byteLength;
      }
    },

    async readMany(reads) {
      if (reads.length === 0) return [];
      const { value, bytes } = await ask('readMany', { reads });
      let at = 0;
      return value.map((part): FilePart | undefined => {
        if (!part) return undefined;
        at += part.bytes;
        return { bytes: bytes.subarray(at - part.bytes, at), size: part.size };
      });
    },

    async link(path, target) {
      return (await ask('link', { path, target })).value;
    },

    async readLinks(paths) {
      if (paths.length === 0) return [];
      return (await ask('readLinks', { paths })).value.map((target) => target ?? undefined);
    },

    async hash(path) {
      return (await ask('hash', { path }, { takesMs: longMs })).value;
    },

    async makeDirectory(path, mode) {
      await ask('makeDirectory', { path, mode });
    },

    async list(path) {
      return (await ask('list', { path })).value ?? undefined;
    },

    async removeTree(path) {
      checkBelowRoots(path, scratchRoots);
      await ask('removeTree', { path, roots: scratchRoots }, { takesMs: longMs });
    },

    async waitForChange(path, timeoutMs, signal) {
      const takesMs = usualMs + timeoutMs;
      await ask('waitForChange', { path, timeoutMs }, { signal, takesMs }).catch((thrown: unknown) => {
        if (!signal.aborted) throw thrown;
      });
    },

    async close() {
      fail('we closed it');
      channel.close();
    },
  };
}

async function* inChunks(content: Uint8Array | AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  for await (const piece of content instanceof Uint8Array ? [content] : content) {
    for (let at = 0; at < piece.byteLength; at += chunkBytes) yield piece.subarray(at, at + chunkBytes);
  }
}

function unavailable(name: string, reason: string): UnavailableError {
  return new UnavailableError('host.unavailable', `Host ${name} cannot be reached: ${reason}`);
}

function cutOff(name: string, verb: Verb, reason: string, cause?: unknown): ServiceError {
  if (looks.includes(verb)) return unavailable(name, reason);
  const message = `Call "${verb}" on ${name} was cut off: ${reason}; what it has done is not known`;
  return new UnknownOutcomeError('host.unknown_outcome', message, { cause });
}

const classes = {
  ForbiddenError,
  InvalidError,
  LauncherError,
  NotFoundError,
  QuotaError,
  UnavailableError,
  UnknownOutcomeError,
};

/** The error as the agent met it; "this host" is this one's name here. */
function remake(name: string, { type, code, message }: FrameError): Error {
  const told = message.replace(' on this host', ` on ${name}`);
  if (Object.hasOwn(classes, type) && Object.hasOwn(errorCodes, code)) {
    return new classes[type as keyof typeof classes](code as ErrorCode, told);
  }
  return new LauncherError('host.command_failed', `The agent on ${name} failed: ${told}`);
}
