/** What SSH adds to a host: whom it trusts, one connection, and what becomes of it in trouble. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Command } from '../../../launchers/host/command.ts';
import { parseKnownHosts } from '../../../launchers/host/known-hosts.ts';
import type { SshLimits } from '../../../launchers/host/ssh-connection.ts';
import { createSshHost, type SshHost, type SshHostOptions } from '../../../launchers/host/ssh-host.ts';
import { createSsh2Connector } from '../../../launchers/host/ssh2-connection.ts';
import type { SshTarget } from '../../../launchers/host/ssh2-login.ts';
import { agentAvailable, agentFiles } from '../../support/agent-files.ts';
import { requireService } from '../../support/services.ts';
import {
  makeSshKey,
  type SshServer,
  sshServerAvailable,
  startSshServer,
  testLimits,
} from '../../support/ssh-server.ts';
import { until } from '../../support/until.ts';

const canRun = requireService('sshd', await sshServerAvailable()) && requireService('agent', await agentAvailable());
const signal = new AbortController().signal;
const echo: Command<string> = { argv: ['echo', 'hello'], parse: ({ stdout }) => stdout };

describe.runIf(canRun)('a host behind SSH', () => {
  let server: SshServer;
  const hosts: SshHost[] = [];

  beforeAll(async () => {
    server = await startSshServer();
  });

  afterAll(async () => {
    await Promise.all(hosts.map(async (host) => await host.close()));
    await server[Symbol.asyncDispose]();
  });

  const agentOf = (of: SshServer, files = agentFiles) => ({
    files,
    directory: join(of.directory, 'agent'),
    helloMs: 10_000,
  });

  interface OpenOptions extends Partial<Omit<SshHostOptions, 'connector'>> {
    readonly target?: SshTarget;
    readonly limits?: SshLimits;
  }

  function open({ target = server.target, limits = testLimits, ...options }: OpenOptions = {}): SshHost {
    const host = createSshHost({
      connector: createSsh2Connector(target, limits),
      scratchRoots: [],
      agent: agentOf(server),
      idleMs: 60_000,
      backoff: { firstMs: 10, mostMs: 50 },
      ...options,
    });
    hosts.push(host);
    return host;
  }

  const openTo = (target: Partial<SshTarget>) => open({ target: { ...server.target, ...target } });

  describe('whom it trusts', () => {
    it('refuses a host that is not known, with its fingerprint and the line to add', async () => {
      const host = openTo({ knownHosts: parseKnownHosts('', '/etc/abaco/known_hosts') });
      const refusal: Error = (await host.run(echo, signal).catch((thrown: Error) => thrown)) as Error;
      expect(refusal).toMatchObject({ name: 'UnavailableError', code: 'host.key_unknown' });
      expect(refusal.message).toMatch(/shows a key ssh-ed25519 SHA256:[\w+/]{43}\. Ask its administrator/);
      expect(refusal.message).toContain(`add this line to /etc/abaco/known_hosts: ${server.hostLine}`);
      expect(await openTo({ knownHosts: parseKnownHosts(server.hostLine, 'x') }).run(echo, signal)).toBe('hello\n');
    });

    it('refuses a key that is marked as revoked', async () => {
      const text = `@revoked * ${server.hostLine.split(' ').slice(1).join(' ')}\n${server.hostLine}`;
      await expect(openTo({ knownHosts: parseKnownHosts(text, 'known_hosts') }).run(echo, signal)).rejects.toThrow(
        'as revoked',
      );
    });
  });

  describe('how it gets in', () => {
    it('says that its key is not taken', async () => {
      const privateKey = await makeSshKey(join(server.directory, 'wrong'));
      await expect(openTo({ privateKey }).run(echo, signal)).rejects.toMatchObject({
        name: 'UnavailableError',
        code: 'host.denied',
        message: expect.stringContaining('it does not take the key we have') as string,
      });
    });

    it('says that a server takes no keys at all', async () => {
      await using passwords = await startSshServer([
        'PubkeyAuthentication no',
        'PasswordAuthentication yes',
        'UsePAM no',
      ]);
      await expect(open({ target: passwords.target }).run(echo, signal)).rejects.toThrow(
        'it takes no keys, only password',
      );
    });

    it('says that nobody listens, and that nobody answers', async () => {
      await expect(openTo({ port: 1 }).run(echo, signal)).rejects.toThrow(/cannot be reached: connect ECONNREFUSED/);
      const limits = { ...testLimits, connectMs: 200 };
      const target = { ...server.target, host: '192.0.2.1' };
      await expect(open({ target, limits }).run(echo, signal)).rejects.toMatchObject({ code: 'host.unavailable' });
    });

    it('goes through other hosts', async () => {
      await using jump = await startSshServer();
      expect(await openTo({ jump: jump.target }).run(echo, signal)).toBe('hello\n');
      expect(jump.logins()).toBe(1);
      await using first = await startSshServer();
      expect(await openTo({ jump: { ...jump.target, jump: first.target } }).run(echo, signal)).toBe('hello\n');
      expect([first.logins(), jump.logins()]).toEqual([1, 2]);
      const wrong = { ...jump.target, knownHosts: parseKnownHosts('', 'known_hosts') };
      await expect(openTo({ jump: wrong }).run(echo, signal)).rejects.toMatchObject({ code: 'host.key_unknown' });
    });
  });

  describe('its connection', () => {
    it('is one, whatever is asked at once, and goes to the agent', async () => {
      const before = server.logins();
      const host = open();
      expect(host.mode).toEqual({ kind: 'closed' });
      const runs = Array.from({ length: 60 }, async () => await host.run(echo, signal));
      expect(new Set(await Promise.all(runs))).toEqual(new Set(['hello\n']));
      expect(host.mode.kind).toBe('agent');
      expect(server.logins()).toBe(before + 1);
    });

    it('is closed when nobody uses it, and the agent with it', async () => {
      const host = open({ idleMs: 100 });
      const parent: Command<number> = { argv: ['sh', '-c', 'echo $PPID'], parse: ({ stdout }) => Number(stdout) };
      const agent = await host.run(parent, signal);
      expect(readFileSync(`/proc/${agent}/cmdline`, 'utf8')).toContain('--stdio');
      await until(() => host.mode.kind === 'closed');
      await until(() => readdirSync('/proc').every((name) => name !== String(agent)));
      expect(await host.run(echo, signal)).toBe('hello\n');
    });

    it('is closed at once where that is asked for, unless somebody uses it', async () => {
      const host = open();
      const waiting = new AbortController();
      await host.run(echo, signal);
      const looking = host.waitForChange(server.directory, 60_000, waiting.signal);
      await host.rest();
      expect(host.mode.kind).toBe('agent');
      waiting.abort();
      await looking.catch(() => undefined);
      await host.rest();
      expect(host.mode.kind).toBe('closed');
      expect(await host.run(echo, signal)).toBe('hello\n');
    });

    it('that breaks makes the outcome of a command unknown and a look repeatable; the next call makes another', async () => {
      const host = open();
      await host.run(echo, signal);
      const mark = join(server.directory, 'broken');
      const running = host.run({ argv: ['sh', '-c', `echo >"${mark}"; sleep 60`], parse: () => undefined }, signal);
      const looking = host.waitForChange(server.directory, 60_000, signal);
      running.catch(() => undefined);
      looking.catch(() => undefined);
      await until(async () => await readFile(mark, 'utf8').catch(() => undefined));
      await server.dropSessions();
      await expect(running).rejects.toMatchObject({ name: 'UnknownOutcomeError' });
      // The mark may have been the change it waited for.
      await Promise.allSettled([looking]).then(([end]) => {
        if (end.status === 'rejected') expect(end.reason).toMatchObject({ name: 'UnavailableError', retryable: true });
      });
      expect(await host.run(echo, signal)).toBe('hello\n');
    });

    it('that breaks under many is made again once for all of them', async () => {
      await using other = await startSshServer();
      const host = open({ target: other.target, agent: agentOf(other) });
      await host.run(echo, signal);
      await other.dropSessions();
      await until(() => host.mode.kind === 'closed');
      const runs = Array.from({ length: 20 }, async () => await host.run(echo, signal));
      expect(new Set(await Promise.all(runs))).toEqual(new Set(['hello\n']));
      expect(other.logins()).toBe(2);
    });

    it('is not knocked at again and again while the host is away', async () => {
      await using other = await startSshServer();
      const host = open({ target: other.target, agent: agentOf(other), backoff: { firstMs: 60_000, mostMs: 60_000 } });
      await other.stop();
      await expect(host.run(echo, signal)).rejects.toThrow('ECONNREFUSED');
      await other.start();
      await expect(host.run(echo, signal)).rejects.toThrow('ECONNREFUSED');
      expect(other.logins()).toBe(0);
    });

    it('is made again once the host is back', async () => {
      await using other = await startSshServer();
      const host = open({ target: other.target, agent: agentOf(other) });
      expect(await host.run(echo, signal)).toBe('hello\n');
      await other.dropSessions();
      await other.stop();
      await other.start();
      await until(async () => (await host.run(echo, signal).catch(() => '')) === 'hello\n', { timeoutMs: 20_000 });
    });

    it('without the agent opens no more channels than allowed, and takes them in turn', async () => {
      await using narrow = await startSshServer(['MaxSessions 2']);
      const host = createSshHost({
        connector: createSsh2Connector(narrow.target, { ...testLimits, channels: 2 }),
        scratchRoots: [],
        idleMs: 60_000,
        backoff: { firstMs: 10, mostMs: 50 },
      });
      hosts.push(host);
      const runs = Array.from({ length: 12 }, async () => await host.run(echo, signal));
      expect(await Promise.all(runs)).toEqual(runs.map(() => 'hello\n'));
      expect(host.mode).toEqual({ kind: 'plain', why: 'the configuration wants none' });
      expect(narrow.logins()).toBe(1);
    });
  });

  describe('the agent', () => {
    it('is installed once, readable and not writable by others, and mended where it was changed', async () => {
      await using other = await startSshServer();
      const agent = agentOf(other);
      await open({ target: other.target, agent }).run(echo, signal);
      const files = readdirSync(agent.directory);
      expect(files).toHaveLength(3);
      const script = files.find((file) => file.startsWith('agent-')) ?? '';
      writeFileSync(join(agent.directory, script), 'process.exit(3)');
      const host = open({ target: other.target, agent });
      expect(await host.run(echo, signal)).toBe('hello\n');
      expect(host.mode.kind).toBe('agent');
      expect(readFileSync(join(agent.directory, script), 'utf8')).toBe(readFileSync(agentFiles.script, 'utf8'));
    });

    it('that cannot run there is done without, and the reason is told', async () => {
      await using other = await startSshServer();
      // A program of another machine, as far as the loader is concerned.
      const node = join(other.directory, 'not-node');
      writeFileSync(node, '\x7fELF of another kind');
      await chmod(node, 0o755);
      const host = open({ target: other.target, agent: agentOf(other, { ...agentFiles, node }) });
      expect(await host.run(echo, signal)).toBe('hello\n');
      expect(host.mode).toMatchObject({
        kind: 'plain',
        why: expect.stringMatching(/the agent ended with 12[67]/) as string,
      });
    });

    it('of another user is the only way in: without it, nothing is run', async () => {
      await using other = await startSshServer();
      const agent = { ...agentOf(other), becomes: 'no-such-user' };
      const host = open({ target: other.target, agent });
      expect(host.name).toMatch(/^no-such-user@/);
      const sudo: Command<boolean> = {
        argv: ['sh', '-c', 'command -v sudo'],
        parse: ({ exitCode }) => exitCode === 0,
      };
      const hasSudo = await open({ target: other.target, agent: agentOf(other) }).run(sudo, signal);
      const [name, code, says] = hasSudo
        ? ['ForbiddenError', 'host.denied', /sudo does not make "no-such-user" of/]
        : ['UnavailableError', 'host.unavailable', /does not run our agent: .*the agent ended with 127/];
      const message = expect.stringMatching(says) as string;
      await expect(host.run(echo, signal)).rejects.toMatchObject({ name, code, message });
    });
  });
});
