/** What every host promises, whatever is between it and us. */

import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Command, CommandResult } from '../../launchers/host/command.ts';
import type { ByteRange, Host } from '../../launchers/host/host.ts';
import { makeTestDirectory, type TestDirectory } from './test-directory.ts';
import { until } from './until.ts';

export interface HostUnderTest extends AsyncDisposable {
  readonly host: Host;
}

export interface HostTraits {
  /** Whether a program that is cut off is sure to be gone. */
  readonly killsWhatIsCutOff: boolean;
}

const signal = new AbortController().signal;

/** The answer as it is. */
function whole(...argv: readonly [string, ...string[]]): Command<CommandResult> {
  return { argv, parse: (result) => result };
}

export function describeHost(
  kind: string,
  start: (scratchRoots: readonly string[]) => Promise<HostUnderTest>,
  traits: HostTraits,
): void {
  describe(`host: ${kind}`, () => {
    let directory: TestDirectory;
    let scratch: string;
    let under: HostUnderTest;
    let host: Host;
    const at = (file: string): string => join(scratch, file);
    const read = async (path: string, range?: ByteRange): Promise<Buffer> =>
      Buffer.concat(await Array.fromAsync(host.get(path, range)));

    beforeAll(async () => {
      directory = await makeTestDirectory('host');
      scratch = join(directory.path, 'scratch');
      await mkdir(scratch);
      under = await start([scratch]);
      host = under.host;
    });

    afterAll(async () => {
      await under[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    });

    describe('run', () => {
      it('answers both streams and the exit code', async () => {
        const result = await host.run(whole('sh', '-c', 'echo out; echo err >&2; exit 7'), signal);
        expect(result).toEqual({ exitCode: 7, signal: null, stdout: 'out\n', stderr: 'err\n' });
      });

      it('gives the program exactly these arguments', async () => {
        const text = fc
          .string({ unit: 'binary', maxLength: 60 })
          .map((word) => word.replaceAll('\0', '').toWellFormed());
        await fc.assert(
          fc.asyncProperty(fc.array(text, { maxLength: 4 }), async (words) => {
            const { stdout } = await host.run(whole('printf', '<%s>', ...words), signal);
            expect(stdout).toBe(words.length === 0 ? '<>' : words.map((word) => `<${word}>`).join(''));
          }),
          { numRuns: 40 },
        );
      });

      it('gives it these variables and this standard input', async () => {
        const environment = { GREETING: 'two\nlines $(reboot) "and" \'quotes\'', EMPTY: '' };
        const command = {
          ...whole('sh', '-c', 'printf "%s|%s|" "$GREETING" "$EMPTY"; cat'),
          environment,
          stdin: 'in\0put',
        };
        expect((await host.run(command, signal)).stdout).toBe(`${environment.GREETING}||in\0put`);
      });

      it('takes what parse makes of it, also when that is an error', async () => {
        expect(await host.run({ argv: ['echo', '42'], parse: ({ stdout }) => Number(stdout) }, signal)).toBe(42);
        const parse = (): never => {
          throw new Error('not what I wanted');
        };
        await expect(host.run({ argv: ['true'], parse }, signal)).rejects.toThrow('not what I wanted');
      });

      it('tells a program that is not there from one that may not be run', async () => {
        writeFileSync(at('not-a-program'), 'text', { mode: 0o644 });
        expect(await host.run(whole('/no/such/program'), signal)).toMatchObject({ exitCode: 127 });
        expect(await host.run(whole(at('not-a-program')), signal)).toMatchObject({ exitCode: 126 });
      });

      it('tells the signal that ended a program', async () => {
        const { signal: ended, exitCode } = await host.run(whole('sh', '-c', 'kill -KILL $$'), signal);
        // Where a login shell is in between, it makes an exit code of it.
        expect(ended ?? exitCode).toBe(ended === null ? 137 : 'SIGKILL');
      });

      it('does not fail when the program reads nothing of a long input', async () => {
        const command = { ...whole('true'), stdin: Buffer.alloc(1_000_000) };
        expect(await host.run(command, signal)).toMatchObject({ exitCode: 0 });
      });

      it('refuses more output than is wanted', async () => {
        const command = { ...whole('head', '-c', '100000', '/dev/zero'), maxOutputBytes: 1_000 };
        await expect(host.run(command, signal)).rejects.toMatchObject({ code: 'host.output_too_large' });
      });

      it.each(['its time limit', 'the caller'])('says that the outcome is unknown when %s cut it off', async (who) => {
        const mark = at(`cut-off-${randomBytes(4).toString('hex')}`);
        const caller = new AbortController();
        const limit = who === 'its time limit' ? { timeoutMs: 500 } : {};
        const running = host.run({ ...whole('sh', '-c', `echo $$ >"${mark}"; sleep 60`), ...limit }, caller.signal);
        running.catch(() => undefined);
        const pid = await until(async () => Number(await readFile(mark, 'utf8').catch(() => '')) || undefined);
        if (who === 'the caller') caller.abort(new Error('no longer wanted'));
        await expect(running).rejects.toMatchObject({ name: 'UnknownOutcomeError', code: 'host.unknown_outcome' });
        if (traits.killsWhatIsCutOff) await until(() => !isRunning(pid));
        else process.kill(pid, 'SIGKILL');
      });

      it('runs many at once, more than there are channels', async () => {
        const runs = Array.from(
          { length: 40 },
          async (_, index) => await host.run(whole('echo', String(index)), signal),
        );
        expect((await Promise.all(runs)).map(({ stdout }) => Number(stdout))).toEqual(runs.map((_, index) => index));
      });
    });

    describe('files', () => {
      it('are written whole, with the mode that was asked for, and leave nothing beside them', async () => {
        await mkdir(at('put'));
        const bytes = randomBytes(3_000_000);
        async function* pieces(): AsyncIterable<Uint8Array> {
          yield bytes.subarray(0, 10);
          yield bytes.subarray(10, 2_500_000);
          yield bytes.subarray(2_500_000);
        }
        await host.put(at('put/file'), pieces(), { mode: 0o640 });
        expect(readFileSync(at('put/file')).equals(bytes)).toBe(true);
        expect(statSync(at('put/file')).mode & 0o777).toBe(0o640);
        await host.put(at('put/file'), Buffer.from('shorter'));
        expect(readFileSync(at('put/file'), 'utf8')).toBe('shorter');
        expect(statSync(at('put/file')).mode & 0o777).toBe(0o600);
        await host.put(at('put/empty'), new Uint8Array());
        expect(readdirSync(at('put'))).toEqual(['empty', 'file']);
      });

      it('stay as they were when what is written breaks off', async () => {
        await mkdir(at('torn'));
        await host.put(at('torn/file'), Buffer.from('before'));
        // oxlint-disable-next-line require-yield -- it breaks before it yields a second time
        async function* broken(): AsyncIterable<Uint8Array> {
          yield Buffer.from('half of');
          throw new Error('the source broke');
        }
        await expect(host.put(at('torn/file'), broken())).rejects.toThrow('the source broke');
        expect(readFileSync(at('torn/file'), 'utf8')).toBe('before');
        expect(readdirSync(at('torn'))).toEqual(['file']);
      });

      it.each(['with space', 'two\nlines', "quote's", '$(reboot)', '-rf', 'ünïcode', 'back\\slash'])(
        'may be called %j',
        async (name) => {
          const path = join(at('names'), name, name);
          await host.makeDirectory(join(at('names'), name), 0o700);
          await host.put(path, Buffer.from(name));
          expect((await read(path)).toString()).toBe(name);
          expect(await host.hash(path)).toBe(createHash('sha256').update(name).digest('hex'));
          expect(await host.list(join(at('names'), name))).toEqual([name]);
          await host.removeTree(join(at('names'), name));
          expect(readdirSync(at('names'))).not.toContain(name);
        },
      );

      it('are read from an offset, as far as there is something', async () => {
        const bytes = randomBytes(2_500_000);
        writeFileSync(at('long'), bytes);
        expect((await read(at('long'))).equals(bytes)).toBe(true);
        expect(
          (await read(at('long'), { offset: 1_000_000, length: 1_200_000 })).equals(
            bytes.subarray(1_000_000, 2_200_000),
          ),
        ).toBe(true);
        expect((await read(at('long'), { offset: 2_499_999 })).equals(bytes.subarray(2_499_999))).toBe(true);
        expect(await read(at('long'), { offset: 2_500_000 })).toHaveLength(0);
        expect(await read(at('long'), { offset: 9_000_000, length: 5 })).toHaveLength(0);
      });

      it('are read many at once, absent ones too', async () => {
        writeFileSync(at('one'), '0123456789');
        const parts = await host.readMany([
          { path: at('one'), offset: 4, length: 3 },
          { path: at('absent'), offset: 0, length: 9 },
          { path: at('one'), offset: 8, length: 100 },
          { path: at('one'), offset: 50, length: 1 },
        ]);
        const shown = parts.map((part) => part && [Buffer.from(part.bytes).toString(), part.size]);
        expect(shown).toEqual([['456', 10], undefined, ['89', 10], ['', 10]]);
        expect(await host.readMany([])).toEqual([]);
      });

      it('that are not there are told as such', async () => {
        await expect(read(at('absent'))).rejects.toMatchObject({ code: 'host.file_not_found' });
        await expect(host.hash(at('absent'))).rejects.toMatchObject({ code: 'host.file_not_found' });
        await expect(host.put(at('absent/file'), Buffer.from(''))).rejects.toMatchObject({
          code: 'host.file_not_found',
        });
        expect(await host.list(at('absent'))).toBeUndefined();
      });
    });

    describe('what stands in the place of a file', () => {
      it.each(['a pipe', 'a directory', 'a socket'])(
        'is as if it were not there, and holds nobody up: %s',
        async (what) => {
          const path = at(`${what.slice(2)}-for-a-file`);
          writeFileSync(at('real'), 'real');
          if (what === 'a pipe') execFileSync('mkfifo', [path]);
          if (what === 'a directory') mkdirSync(path);
          await using _ = what === 'a socket' ? await listenAt(path) : undefined;
          const reads = [
            { path, offset: 0, length: 0 },
            { path, offset: 3, length: 10 },
            { path: at('real'), offset: 0, length: 10 },
          ];
          // More at once than there are threads for files.
          const rounds = await Promise.all(Array.from({ length: 6 }, async () => await host.readMany(reads)));
          for (const parts of rounds) expect(parts.map((part) => part?.size)).toEqual([undefined, undefined, 4]);
          await expect(read(path)).rejects.toMatchObject({ code: 'host.file_not_found' });
          await expect(host.hash(path)).rejects.toMatchObject({ code: 'host.file_not_found' });
          await host.removeTree(path);
        },
      );

      it('is not read through a link, unless that is asked for', async () => {
        writeFileSync(at('secret'), 'secret');
        symlinkSync(at('secret'), at('link-for-a-file'));
        const path = at('link-for-a-file');
        expect(await host.readMany([{ path, offset: 0, length: 10 }])).toEqual([undefined]);
        await expect(read(path)).rejects.toMatchObject({ code: 'host.file_not_found' });
        expect((await read(path, { offset: 2, followLinks: true })).toString()).toBe('cret');
        expect(await host.hash(path)).toBe(createHash('sha256').update('secret').digest('hex'));
      });
    });

    describe('links', () => {
      it('are made by one of many, and read back', async () => {
        const targets = ['a', 'closed:cancelled', 'target with\nline'];
        const made = await Promise.all(targets.map(async (target) => await host.link(at('marker'), target)));
        expect(made.filter(Boolean)).toHaveLength(1);
        expect(await host.readLinks([at('marker')])).toEqual([targets[made.indexOf(true)]]);
      });

      it('that are none, or are not there, are told from those that are', async () => {
        writeFileSync(at('plain-file'), '');
        await host.link(at('dangling'), '/nowhere/at/all');
        // What cannot be looked at may be there.
        await expect(host.readLinks([at('a'.repeat(300))])).rejects.toMatchObject({ code: 'host.file_failed' });
        expect(await host.readLinks([at('plain-file'), at('absent'), at('dangling')])).toEqual([
          '',
          undefined,
          '/nowhere/at/all',
        ]);
        expect(await host.link(at('plain-file'), 'x')).toBe(false);
        await expect(host.link(at('absent/link'), 'x')).rejects.toMatchObject({ code: 'host.file_not_found' });
      });
    });

    describe('directories', () => {
      it('are made with what leads to them, by many at once as by one, and keep their mode', async () => {
        await Promise.all(Array.from({ length: 6 }, async () => await host.makeDirectory(at('a/b/c'), 0o750)));
        expect(statSync(at('a/b/c')).mode & 0o777).toBe(0o750);
        await host.makeDirectory(at('a/b/c'), 0o700);
        expect(statSync(at('a/b/c')).mode & 0o777).toBe(0o750);
      });

      it('are removed with all there is; links are not followed; again is a no-op', async () => {
        mkdirSync(at('tree/deep'), { recursive: true });
        writeFileSync(at('tree/deep/file'), '');
        const outside = join(directory.path, 'outside');
        mkdirSync(outside, { recursive: true });
        writeFileSync(join(outside, 'kept'), '');
        symlinkSync(outside, at('tree/link'));
        await host.removeTree(at('tree'));
        await host.removeTree(at('tree'));
        await host.removeTree(at('never/was'));
        expect(readdirSync(scratch)).not.toContain('tree');
        expect(readdirSync(outside)).toEqual(['kept']);
      });

      it('are removed nowhere else', async () => {
        const outside = join(directory.path, 'elsewhere');
        mkdirSync(join(outside, 'inner'), { recursive: true });
        symlinkSync(outside, at('way-out'));
        const paths = [
          outside,
          scratch,
          `${scratch}/`,
          `${scratch}/../elsewhere`,
          '/',
          '',
          'relative',
          at('way-out/inner'),
        ];
        for (const path of paths) {
          await expect(host.removeTree(path), path).rejects.toMatchObject({ code: 'host.outside' });
        }
        expect(readdirSync(outside)).toEqual(['inner']);
      });

      it('tell when something changes in them', async () => {
        mkdirSync(at('watched'));
        const changed = host.waitForChange(at('watched'), 20_000, signal);
        // Whether it watches already cannot be seen from outside, so there are several changes.
        let count = 0;
        const changes = setInterval(() => writeFileSync(at(`watched/${(count += 1)}`), ''), 20);
        await changed.finally(() => clearInterval(changes));
        expect(count).toBeGreaterThan(0);
      });

      it('tell nothing when nothing changes, until the time is over or nobody waits', async () => {
        mkdirSync(at('quiet'));
        await host.waitForChange(at('quiet'), 50, signal);
        const caller = new AbortController();
        const waiting = host.waitForChange(at('quiet'), 60_000, caller.signal);
        caller.abort();
        await waiting;
        await expect(host.waitForChange(at('not-there'), 50, signal)).rejects.toMatchObject({
          code: 'host.file_not_found',
        });
      });
    });
  });
}

async function listenAt(path: string): Promise<AsyncDisposable> {
  const server = createServer().listen(path);
  await once(server, 'listening');
  return { [Symbol.asyncDispose]: async () => await promisify(server.close.bind(server))() };
}

function isRunning(pid: number): boolean {
  try {
    return !/ [ZX] /.test(
      execFileSync('cat', [`/proc/${pid}/stat`], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
    );
  } catch {
    return false;
  }
}
