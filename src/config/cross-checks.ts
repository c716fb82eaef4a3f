/** What no setting can say alone: settings that have to fit one another. */

import type { ConfigProblem } from '../errors.ts';
import { renderByteSize } from '../lib/byte-size.ts';
import { renderDuration } from '../lib/duration.ts';
import { keyFingerprint, readRsaPublicKey } from '../lib/rsa-key.ts';
import { reasonOf } from './layer.ts';
import type { Mismatch } from './mismatch.ts';
import { ownerChecks } from './owner-checks.ts';
import type { Config } from './schema.ts';
import { renderPath, type SettingPath } from './setting-path.ts';

/** @param failed - dotted paths that have a problem already; what depends on them is not judged. */
export function checkTogether(
  config: Config,
  origins: ReadonlyMap<string, string>,
  failed: ReadonlySet<string>,
): readonly ConfigProblem[] {
  return checks
    .flatMap((check) => check(config))
    .filter(({ paths }) => paths.every((path) => !hasFailed(renderPath(path), failed)))
    .map(({ paths: [path], message }) => {
      const name = renderPath(path);
      return { path: name, where: origins.get(name) ?? 'configuration', message };
    });
}

/** Itself, or a setting in it. */
function hasFailed(name: string, failed: ReadonlySet<string>): boolean {
  return [...failed].some((path) => path === name || path.startsWith(`${name}.`));
}

const checks: readonly ((config: Config) => readonly Mismatch[])[] = [
  launcherNames,
  listenAddress,
  tenantKeys,
  leaseLength,
  logTimes,
  tenantMessages,
  workerCounts,
  registryPasswords,
  ...ownerChecks,
];

function launcherNames({ service, queues, launchers }: Config): readonly Mismatch[] {
  const known = Object.keys(launchers).join(', ');
  const named: readonly (readonly [SettingPath, string])[] = [
    [['service', 'default_launcher'], service.defaultLauncher],
    ...Object.entries(queues).map(([name, queue]) => [['queues', name, 'launcher'], queue.launcher] as const),
  ];
  const reported = new Set<string>();
  return named.flatMap(([path, launcher]) => {
    if (Object.hasOwn(launchers, launcher) || reported.has(launcher)) return [];
    reported.add(launcher);
    const message = `Setting "${renderPath(path)}" names launcher "${launcher}", which is not there; known launchers: ${known}`;
    return [{ paths: [path], message }];
  });
}

const loopback = /^(127(\.\d{1,3}){3}|::1|localhost)$/;

function listenAddress({ service, tenants }: Config): readonly Mismatch[] {
  if (loopback.test(service.host)) return [];
  const names = Object.keys(tenants);
  const open = names.filter((name) => tenants[name]?.mode === 'none');
  if (names.length > 0 && open.length === 0) return [];
  const who = names.length === 0 ? 'no tenant is configured' : `tenant "${open[0]}" has mode "none"`;
  const message = `Setting "service.host" is "${service.host}", which others can reach, while ${who}, so that nobody has to show a token; use 127.0.0.1 or give each tenant mode = "jwt"`;
  return [{ paths: [['service', 'host'], ['tenants']], message }];
}

/** A tenant with a key of its own, and with one that can be read. */
function tenantKeys({ tenants }: Config): readonly Mismatch[] {
  const seen = new Map<string, string>();
  return Object.entries(tenants).flatMap(([name, tenant]) => {
    if (tenant.mode === 'none') return [];
    const at = (key: string, message: string): Mismatch[] => [{ paths: [['tenants', name, key]], message }];
    if (tenant.publicKey === '' && tenant.developmentKey === '') {
      return [{ paths: [['tenants', name]], message: `Tenant "${name}" has mode "jwt" and no public_key_file` }];
    }
    const key = tenant.publicKey === '' ? 'development_key' : 'public_key';
    try {
      const fingerprint = keyFingerprint(readRsaPublicKey(tenant.publicKey || tenant.developmentKey));
      const other = seen.get(fingerprint);
      seen.set(fingerprint, name);
      if (other === undefined) return [];
      return at(key, `Tenants "${other}" and "${name}" have the same key, so a token of one would do for the other`);
    } catch (thrown) {
      return at(key, `Setting "tenants.${name}.${key}" ${reasonOf(thrown)}`);
    }
  });
}

function leaseLength({ workers }: Config): readonly Mismatch[] {
  const { leaseMs, extendEveryMs } = workers;
  if (leaseMs > 3 * extendEveryMs) return [];
  const message = `Setting "workers.lease" is ${renderDuration(leaseMs)}, too short to be extended every ${renderDuration(extendEveryMs)} (workers.extend_every): needs more than three times that`;
  return [
    {
      paths: [
        ['workers', 'lease'],
        ['workers', 'extend_every'],
      ],
      message,
    },
  ];
}

/** Of the service, and of each tenant with times of its own. */
function logTimes({ logs, tenants }: Config): readonly Mismatch[] {
  const own = Object.entries(tenants).filter(
    ([, { logKeepMs, logKeepLimitMs }]) => logKeepMs !== logs.keepMs || logKeepLimitMs !== logs.keepLimitMs,
  );
  return [
    ...logTimesAt(['logs', 'keep'], logs.keepMs, logs.keepLimitMs),
    ...own.flatMap(([name, one]) => logTimesAt(['tenants', name, 'log_keep'], one.logKeepMs, one.logKeepLimitMs)),
  ];
}

function logTimesAt(path: readonly [...string[], string], keepMs: number | null, limitMs: number | null): Mismatch[] {
  if (limitMs === null || (keepMs !== null && keepMs <= limitMs)) return [];
  const limit: SettingPath = [...path.slice(0, -1), `${path.at(-1)}_limit`];
  const message = `Setting "${renderPath(path)}" is longer than ${renderPath(limit)}, ${renderDuration(limitMs)}`;
  return [{ paths: [path, limit], message }];
}

function tenantMessages({ messages, tenants }: Config): readonly Mismatch[] {
  return Object.entries(tenants).flatMap(([name, { maxMessageBytes }]) => {
    if (maxMessageBytes === null || maxMessageBytes <= messages.maxBytes) return [];
    const path = ['tenants', name, 'max_message_bytes'];
    const [own, most] = [maxMessageBytes, messages.maxBytes].map(renderByteSize);
    const message = `Setting "${renderPath(path)}" is ${own}, more than messages.max_bytes, ${most}`;
    return [{ paths: [path, ['messages', 'max_bytes']], message }];
  });
}

function workerCounts({ workers }: Config): readonly Mismatch[] {
  const { perActor, perHost } = workers;
  if (perActor <= perHost) return [];
  const message = `Setting "workers.per_actor" is ${perActor}, more than workers.per_host, ${perHost}`;
  return [
    {
      paths: [
        ['workers', 'per_actor'],
        ['workers', 'per_host'],
      ],
      message,
    },
  ];
}

function registryPasswords({ registries, tenants }: Config): readonly Mismatch[] {
  const places = [
    { path: ['registries'], registries },
    ...Object.entries(tenants).map(([name, own]) => ({ path: ['tenants', name, 'registries'], ...own })),
  ];
  return places.flatMap(({ path, registries: here }) =>
    Object.entries(here).flatMap(([name, { username, password }]) => {
      if ((password !== '') === (username !== '')) return [];
      const message = `Registry "${name}" needs both username and password, or neither`;
      return [{ paths: [[...path, name]], message }];
    }),
  );
}
