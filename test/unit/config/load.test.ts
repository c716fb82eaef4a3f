import { mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type LoadOptions, loadConfig } from '../../../src/config/load.ts';
import { ConfigError } from '../../../src/errors.ts';
import { packagePath } from '../../../src/lib/package-root.ts';
import { makeTestDirectory } from '../../support/test-directory.ts';
import { makeTestKey } from '../../support/tokens.ts';

const env = { HOME: '/home/ada' };

/** Loads `toml` as site.toml, in a directory that is removed afterwards. */
async function loadSite(toml: string, options: LoadOptions = {}) {
  await using directory = await makeTestDirectory('config');
  writeFileSync(join(directory.path, 'site.toml'), toml);
  return { cwd: directory.path, ...loadConfig({ env, cwd: directory.path, file: 'site.toml', ...options }) };
}

async function problemsOf(toml: string, options: LoadOptions = {}) {
  const thrown: unknown = await loadSite(toml, options).catch((error: unknown) => error);
  if (!(thrown instanceof ConfigError)) throw new Error('The configuration was taken', { cause: thrown });
  return thrown.problems.map(({ where, message }) => `${where}: ${message}`);
}

describe('loadConfig', () => {
  it('works out what is left empty from the surroundings', () => {
    const { config, origins } = loadConfig({ env });
    expect(config.service).toMatchObject({
      dataDir: '/home/ada/.local/state/abaco',
      host: '127.0.0.1',
      publicUrl: 'http://127.0.0.1:8000',
      drainMs: 30_000,
    });
    expect(config.blobs).toEqual({ dir: '/home/ada/.local/state/abaco/blobs', inlineBytes: 32_768 });
    expect(config.workers.hostId).toBe(hostname());
    expect(config.queues['default']).toMatchObject({ launcher: 'local', who: 'user' });
    expect(origins.get('service.data_dir')).toMatch(/^config\/default\.toml:\d+, worked out$/);
    expect(loadConfig({ env: { ...env, XDG_STATE_HOME: '/state' } }).config.service.dataDir).toBe('/state/abaco');
    expect(loadConfig({ env: { ABACO_SERVICE_PORT: '0' } }).config.service.publicUrl).toBe('');
    expect(loadConfig({ env: { ABACO_SERVICE_HOST: '::1' } }).config.service.publicUrl).toBe('http://[::1]:8000');
  });

  it('freezes all of it', () => {
    const { config } = loadConfig({ env });
    expect(() => Object.assign(config.service, { port: 1 })).toThrow(TypeError);
    expect(() => Object.assign(config.launchers['local'] ?? {}, { kind: 'x' })).toThrow(TypeError);
    expect(Object.isFrozen(config.directory.tenants)).toBe(true);
  });

  it('lets the environment win over the site file and the site file over the defaults, and says where each came from', async () => {
    const { config, origins } = await loadSite('[service]\nport = 9000\ntag = "site"\n', {
      env: { ABACO_SERVICE_PORT: '9001' },
    });
    expect(config.service).toMatchObject({ port: 9001, tag: 'site', case: 'snake' });
    expect(origins.get('service.port')).toBe('environment ABACO_SERVICE_PORT');
    expect(origins.get('service.tag')).toBe('site.toml:3');
    expect(origins.get('service.case')).toMatch(/^config\/default\.toml:\d+$/);
  });

  it('takes the site file from ABACO_CONFIG, and the given one before it', async () => {
    await using directory = await makeTestDirectory('config');
    const named = join(directory.path, 'named.toml');
    writeFileSync(named, '[service]\ntag = "named"\n');
    writeFileSync(join(directory.path, 'given.toml'), '[service]\ntag = "given"\n');
    const options = { cwd: directory.path, env: { ABACO_CONFIG: named } };
    expect(loadConfig(options).config.service.tag).toBe('named');
    expect(loadConfig({ ...options, file: 'given.toml' }).config.service.tag).toBe('given');
  });

  it('merges tables and replaces lists', async () => {
    const { config, origins } = await loadSite(
      [
        '[launchers.fast]',
        'kind = "docker"',
        'socket = { path = "/run/podman.sock" }',
        '[queues.short]',
        'launcher = "fast"',
        '[mounts.data]',
        'path = "/data"',
        'container = "/data"',
        '[directory]',
        'tenants = ["LAB"]',
      ].join('\n'),
    );
    expect(config.launchers).toEqual({
      local: { kind: 'docker' },
      fast: { kind: 'docker', socket: { path: '/run/podman.sock' } },
    });
    expect(Object.keys(config.queues)).toEqual(['default', 'short']);
    expect(config.queues).toMatchObject({
      default: { launcher: 'local', who: 'user' },
      short: { launcher: 'fast', who: 'privileged' },
    });
    expect(config.mounts).toEqual({
      data: {
        path: '/data',
        container: '/data',
        mode: 'ro',
        paths: {},
        nfsOptions: 'nfsvers=4.2,nosuid,nodev',
        tenants: [],
        privileged: false,
      },
    });
    expect(config.directory.tenants).toEqual(['LAB']);
    expect(origins.get('mounts.data.path')).toBe('site.toml:7');
    expect(origins.get('directory.tenants[0]')).toBe('site.toml:10');
    expect(origins.get('launchers.fast.socket.path')).toBe('site.toml:3');
  });

  it('starts relative paths at the file they stand in, and those of the environment at the working directory', async () => {
    const toml = '[service]\ndata_dir = "data"\n[blobs]\ndir = "~/blobs"\n';
    const fromFile = await loadSite(toml);
    expect(fromFile.config.service.dataDir).toBe(join(fromFile.cwd, 'data'));
    expect(fromFile.config.blobs.dir).toBe('/home/ada/blobs');
    expect(loadConfig({ env: { ABACO_BLOBS_DIR: 'here' }, cwd: '/srv' }).config.blobs.dir).toBe('/srv/here');
  });

  it('takes numbers for durations and sizes, and "none" where a limit may be missing', async () => {
    const { config } = await loadSite(
      '[service]\ndrain = 1500\n[logs]\nmax_bytes = 10\nkeep_limit = "none"\nkeep = "none"\n[limits]\nmemory = "none"\n',
    );
    expect(config.service.drainMs).toBe(1_500);
    expect(config.logs).toMatchObject({ maxBytes: 10, keepMs: null, keepLimitMs: null });
    expect(config.limits.memoryBytes).toBeNull();
  });

  it('gives a tenant what the service has, where the tenant says nothing', async () => {
    const { config, origins } = await loadSite(
      '[logs]\nkeep = "2h"\n[tenants.A]\nmode = "none"\n[tenants.B]\nmode = "none"\nlog_keep = "1h"\nlog_keep_limit = "none"\ndefault_token = "true"\n',
    );
    const [hour, day] = [3_600_000, 86_400_000];
    expect(config.tenants['A']).toMatchObject({ logKeepMs: 2 * hour, logKeepLimitMs: day, defaultToken: 'false' });
    expect(config.tenants['B']).toMatchObject({ logKeepMs: hour, logKeepLimitMs: null, defaultToken: 'true' });
    expect(origins.get('tenants.A.log_keep')).toBe('site.toml:2');
    expect(origins.get('tenants.B.log_keep')).toBe('site.toml:7');
  });

  it('reads the password of a registry from its file', async () => {
    await using directory = await makeTestDirectory('config');
    const file = join(directory.path, 'password');
    writeFileSync(file, 'geheim\n');
    const { config } = await loadSite(`[registries."r:5000"]\nusername = "u"\npassword_file = "${file}"\n`);
    expect(config.registries['r:5000']).toEqual({
      username: 'u',
      password: 'geheim',
      passwordFile: file,
      insecure: false,
    });
  });

  it('lays dev.toml below the site file when asked', async () => {
    const { config } = await loadSite('[logging]\nlevel = "warn"\n', { dev: true });
    expect(config.service.defaultLauncher).toBe('mock');
    expect(config.queues['default']).toMatchObject({ launcher: 'mock', who: 'user' });
    expect(config.logging).toEqual({ level: 'warn', pretty: 'always' });
  });

  it('takes the example site', () => {
    const { config } = loadConfig({ env, file: packagePath('config', 'example-site.toml') });
    expect(config.service.case).toBe('camel');
  });
});

describe('mistakes', () => {
  it('are listed all at once, with file and line, what was expected and what was found', async () => {
    const problems = await problemsOf(
      [
        '[service]', //                    1
        'port = "eighty"', //              2
        'prot = 80', //                    3
        'drain = "soon"', //               4
        'case = "Camel"', //               5
        'host = ["a"]', //                 6
        '[limits]', //                     7
        'header_bytes = 1', //             8
        'nano_cpus = 0.5', //              9
        'memory = true', //               10
        '[servcie]', //                   11
        '[workers]', //                   12
        'memory = 1', //                  13
        '[mounts.data]', //               14
        'path = "data"', //               15
        '[launchers."Big One"]', //       16
        '[launchers.fast]', //            17
        '[registries."r:5000"]', //       18
        'pasword = "x"', //               19
        '[logs]', //                      20
        'poll = 07:32:00', //             21
        '[queues]', //                    22
        'gpu = 1', //                     23
      ].join('\n'),
      { env: { ABACO_RESULTS_KEEP: 'ever', ABACO_REDIS_ULR: 'x' } },
    );
    expect(problems).toEqual([
      'site.toml:2: Setting "service.port" expects an integer from 0 to 65535, found "eighty"',
      'site.toml:3: Setting "service.prot" is not known; the nearest known one is "service.port"',
      'site.toml:4: Setting "service.drain" expects a duration such as "30s" or "500ms" from 0s to 1d, found "soon"',
      'site.toml:5: Setting "service.case" expects one of "snake", "camel", found "Camel"',
      'site.toml:6: Setting "service.host" expects a host name or an address, found a list',
      'site.toml:8: Setting "limits.header_bytes" expects a size such as "512 MiB" from 4 KiB to 1 MiB, found 1',
      'site.toml:9: Setting "limits.nano_cpus" expects an integer, at least 10000000, or "none", found 0.5',
      'site.toml:10: Setting "limits.memory" expects a size such as "512 MiB", at least 6 MiB, or "none", found true',
      'site.toml:11: Setting "servcie" is not known; the nearest known one is "service"',
      'site.toml:13: Setting "workers.memory" is not known; the nearest known one is "limits.memory"',
      'site.toml:14: Setting "mounts.data.container" is missing',
      'site.toml:15: Setting "mounts.data.path" expects an absolute path, one that begins with {home}, {work} or {tasdir}, or nfs://SERVER/PATH, found "data"',
      'site.toml:16: Name "Big One" cannot be used here: expects lower-case letters, digits and hyphens',
      'site.toml:17: Setting "launchers.fast.kind" is missing',
      `site.toml:19: Setting "registries.'r:5000'.pasword" is not known; the nearest known one is "registries.'r:5000'.password"`,
      'site.toml:21: Setting "logs.poll" expects a duration such as "30s" or "500ms" from 10ms to 1m, found a date',
      'site.toml:23: Table "queues.gpu" expects a table, found 1',
      'environment ABACO_RESULTS_KEEP: Setting "results.keep" expects a duration such as "30s" or "500ms" from 1s to 365d, found "ever"',
      'environment ABACO_REDIS_ULR: Variable "ABACO_REDIS_ULR" is not known; the nearest known one is "ABACO_REDIS_URL"',
    ]);
  });

  it('in the syntax of a file have line and column, and hide no others', async () => {
    expect(await problemsOf('[redis]\nurl = "redis://:geheim@h"  oops\n', { env: { ABACO_LOGS_KEEP: '1' } })).toEqual([
      'site.toml:2:28: Not valid TOML: each key-value declaration must be followed by an end-of-line',
      'environment ABACO_LOGS_KEEP: Setting "logs.keep" expects a duration such as "30s" or "500ms", at least 1s, or "none", found 1',
    ]);
  });

  it('include a file that cannot be read', async () => {
    await using directory = await makeTestDirectory('config');
    mkdirSync(join(directory.path, 'folder'));
    expect(await problemsOf('', { file: 'missing.toml' })).toEqual([
      'missing.toml: File "missing.toml" cannot be read: ENOENT',
    ]);
    expect(await problemsOf('', { file: 'folder', cwd: directory.path })).toEqual([
      'folder: File "folder" cannot be read: EISDIR',
    ]);
    expect(await problemsOf(`[registries.r]\nusername = "u"\npassword_file = "/nowhere"\n`)).toEqual([
      'site.toml:3: Setting "registries.r.password_file" names a file that cannot be read: ENOENT',
    ]);
  });

  it('never show a secret', async () => {
    const toml = [
      '[redis]',
      'url = "http://:geheim@h"',
      '[history]',
      'url = ["mongodb://u:geheim@h"]',
      '[service]',
      'public_url = "ftp://u:geheim@h"',
      '[registries.r]',
      'password = 5318008',
    ].join('\n');
    const text = (
      await problemsOf(toml, { env: { ABACO_REDIS_URL_FILE: '/geheim', ABACO_HISTORY_URL: 'geheim' } })
    ).join('\n');
    expect(text).toContain('Setting "redis.url" expects a redis:// or rediss:// URL');
    expect(text).not.toMatch(/geheim|5318008/);
  });

  it('include names that reach into what objects have from birth', async () => {
    for (const name of ['__proto__', 'constructor']) {
      expect(await problemsOf(`[${name}]\nx = 1\n`)).toEqual([
        expect.stringContaining('site.toml:1:2: Not valid TOML'),
      ]);
    }
    expect(await problemsOf('toString = 1\n')).toEqual([expect.stringContaining('Setting "toString" is not known')]);
  });
});

const tenantKey = makeTestKey();
const weakKey = makeTestKey(1024).publicPem;

describe('settings that have to fit one another', () => {
  it.each([
    [
      '[service]\ndefault_launcher = "slurm"',
      'site.toml:2: Setting "service.default_launcher" names launcher "slurm", which is not there; known launchers: local',
    ],
    [
      '[queues.gpu]\nlauncher = "gpus"',
      'site.toml:2: Setting "queues.gpu.launcher" names launcher "gpus", which is not there; known launchers: local',
    ],
    [
      '[service]\nhost = "0.0.0.0"',
      'site.toml:2: Setting "service.host" is "0.0.0.0", which others can reach, while no tenant is configured, so that nobody has to show a token; use 127.0.0.1 or give each tenant mode = "jwt"',
    ],
    [
      '[workers]\nlease = "12s"',
      'site.toml:2: Setting "workers.lease" is 12s, too short to be extended every 4s (workers.extend_every): needs more than three times that',
    ],
    ['[tenants.A]', 'site.toml:1: Tenant "A" has mode "jwt" and no public_key_file'],
    [
      '[tenants.A]\nmode = "none"\n[service]\nhost = "0.0.0.0"',
      'site.toml:4: Setting "service.host" is "0.0.0.0", which others can reach, while tenant "A" has mode "none", so that nobody has to show a token; use 127.0.0.1 or give each tenant mode = "jwt"',
    ],
    [
      '[tenants.A]\npublic_key = "c2VjcmV0"',
      'site.toml:2: Setting "tenants.A.public_key" is no public key in PEM, nor the base64 of one in DER',
    ],
    [
      `[tenants.A]\npublic_key = """${weakKey}"""`,
      'site.toml:2: Setting "tenants.A.public_key" is an RSA key of 1024 bits; 2048 is the least',
    ],
    [
      `[tenants.A]\npublic_key = """${tenantKey.publicPem}"""\n[tenants.B]\ndevelopment_key = """${tenantKey.privatePem}"""`,
      `site.toml:${tenantKey.publicPem.split('\n').length + 3}: Tenants "A" and "B" have the same key, so a token of one would do for the other`,
    ],
    ['[logs]\nkeep = "25h"', 'site.toml:2: Setting "logs.keep" is longer than logs.keep_limit, 1d'],
    ['[logs]\nkeep = "none"', 'site.toml:2: Setting "logs.keep" is longer than logs.keep_limit, 1d'],
    [
      '[tenants.A]\nmode = "none"\nlog_keep = "25h"',
      'site.toml:3: Setting "tenants.A.log_keep" is longer than tenants.A.log_keep_limit, 1d',
    ],
    [
      '[tenants.A]\nmode = "none"\nmax_message_bytes = "501 MB"',
      'site.toml:3: Setting "tenants.A.max_message_bytes" is 501 MB, more than messages.max_bytes, 500 MB',
    ],
    ['[workers]\nper_actor = 21', 'site.toml:2: Setting "workers.per_actor" is 21, more than workers.per_host, 20'],
    [
      '[identity]\nactor_gid = 5',
      'site.toml:2: Setting "identity.actor_gid" needs identity.actor_uid: a group alone does not name a user',
    ],
    [
      '[identity]\nactor_uid = 5000',
      'site.toml:2: Setting "identity.actor_uid" needs identity.actor_gid: without it an image says which groups its programs are in',
    ],
    [
      '[identity]\nactor_uid = 5000\nactor_gid = 5000\n[tenants.A]\nmode = "none"\nactor_uid = 5000',
      'site.toml:6: Setting "tenants.A.actor_uid" needs tenants.A.actor_gid: without it an image says which groups its programs are in',
    ],
    ['[registries.r]\nusername = "u"', 'site.toml:1: Registry "r" needs both username and password, or neither'],
    [
      '[registries.r]\nusername = "u"\npassword = "p"\npassword_file = "/nowhere"',
      'site.toml:4: Setting "registries.r.password_file" stands beside password; keep one of them',
    ],
    [
      '[identity]\nactor_uid = 0\nactor_gid = 5',
      'site.toml:2: Setting "identity.actor_uid" is 0, below identity.min_uid, 1000: programs do not run as the system\'s users',
    ],
    [
      '[tenants.A]\nmode = "none"\nactor_uid = 999\nactor_gid = 999',
      'site.toml:3: Setting "tenants.A.actor_uid" is 999, below identity.min_uid, 1000: programs do not run as the system\'s users',
    ],
    [
      '[tenants.A]\nmode = "none"\nactor_gid = 5000',
      'site.toml:3: Setting "tenants.A.actor_gid" needs tenants.A.actor_uid: a group alone does not name a user',
    ],
    [
      '[identity]\nwork = "/w/{work}"',
      'site.toml:2: Setting "identity.work" cannot be used: {work} is what it says itself',
    ],
    [
      '[tenants.A]\nmode = "none"\n[directory]\ntenants = ["A", "B"]',
      'site.toml:4: Setting "directory.tenants" names tenant "B", which is not there; known tenants: A',
    ],
    [
      '[tenants.A]\nmode = "none"\n[queues.hpc]\ntenants = ["B"]',
      'site.toml:4: Setting "queues.hpc.tenants" names tenant "B", which is not there; known tenants: A',
    ],
    [
      '[mounts]\na = { path = "/a", container = "/x" }\nb = { path = "/b", container = "/x" }',
      'site.toml:3: Setting "mounts.b.container" mounts a second directory at "/x", where mount "a" is',
    ],
    [
      '[mounts.a]\ncontainer = "/x"',
      'site.toml:1: Mount "a" says no directory: it needs path, or paths with one for a launcher',
    ],
    [
      '[mounts.a]\ncontainer = "/x"\npaths = { hpc = "/x" }',
      'site.toml:3: Mount "a" names launcher "hpc", which is not there; known launchers: local',
    ],
    [
      '[mounts.a]\ncontainer = "/x"\npath = "/srv/{user}"',
      'site.toml:3: Setting "mounts.a.path" cannot be used: {user} is none of {username}, {tenant}, {tenant_id}, {home}, {work}, {tasdir}',
    ],
    [
      '[mounts.a]\ncontainer = "/x"\npath = "nfs://files/srv/../etc"',
      'site.toml:3: Setting "mounts.a.path" cannot be used: it is "/srv/../etc", which has a part that leads elsewhere',
    ],
    [
      '[mounts.a]\ncontainer = "/"\npath = "/srv"',
      'site.toml:2: Setting "mounts.a.container" cannot be used: it is "/", which is all there is',
    ],
    [
      '[mounts.a]\ncontainer = "/_abaco/bin"\npath = "/srv"',
      'site.toml:2: Setting "mounts.a.container" cannot be used: what stands below /_abaco is the service\'s',
    ],
    [
      '[mounts.a]\ncontainer = "/proc/1"\npath = "/srv"',
      'site.toml:2: Setting "mounts.a.container" cannot be used: /proc is the system\'s',
    ],
  ])('are refused where they do not: %j', async (toml, problem) => {
    expect(await problemsOf(toml)).toEqual([problem]);
  });

  it('fit where no actor can have both of two mounts at one place', async () => {
    const { config } = await loadSite(
      [
        '[tenants]',
        'A = { mode = "none" }',
        'B = { mode = "none" }',
        '[launchers.hpc]',
        'kind = "slurm"',
        '[mounts]',
        'a = { container = "/x", paths = { local = "/a" }, tenants = ["A"] }',
        'b = { container = "/x", path = "/b", tenants = ["B"] }',
        'c = { container = "/x", paths = { hpc = "/c" }, tenants = ["A"] }',
      ].join('\n'),
    );
    expect(Object.keys(config.mounts)).toEqual(['a', 'b', 'c']);
  });

  it('are not judged where one of them is a mistake already', async () => {
    expect(await problemsOf('[workers]\nlease = "soon"\nextend_every = "10s"\n')).toEqual([
      expect.stringContaining('site.toml:2: Setting "workers.lease" expects a duration'),
    ]);
  });
});
