/**
 * Configs of every tenant, in the tenant's slot: the record, beside it the names of actors it is for, and a sorted set of
 * `<id or alias> NUL <config>`, in which an actor's own are found whatever their number. A name that is freed, an id or an
 * alias, is taken out of all of them in the same step, so that who takes the alias next is given nothing.
 */

import type { Redis } from 'ioredis';
import { InvalidError } from '../errors.ts';
import { type ActorRef, createKeys } from '../mailbox/keys.ts';
import { createRunScript } from '../mailbox/scripts.ts';
import { throwRedisError } from '../storage/redis.ts';
import { type ActorConfig, aliasesAmong, bytesOfConfig, type ConfigValue, configsProblem } from './config.ts';
import { type ConfigRecord, readConfigRecord, shownValue } from './config-record.ts';
import type { SecretBox } from './secret-box.ts';

export type SaveOutcome = 'saved' | 'used' | 'gone' | { readonly unknown: string };

export interface ConfigStore {
  get(tenant: string, name: string): Promise<ActorConfig | undefined>;
  /** In alphabetical order. */
  list(tenant: string): Promise<readonly ActorConfig[]>;
  /** `used` when there is one of that name; `unknown` when an alias among its actors is none. `user` may UPDATE it. */
  create(config: ActorConfig, user: string): Promise<SaveOutcome>;
  /** In place of what was there; a secret whose value is what stands for it stays as it is. `gone` when there is none. */
  replace(config: ActorConfig, user: string): Promise<SaveOutcome>;
  /** With its permissions. @returns whether there was one. */
  remove(tenant: string, name: string): Promise<boolean>;
  /** Takes an actor out of all that name it. Again is a no-op. */
  forget(actor: ActorRef): Promise<void>;
  /** Of every tenant. */
  names(): Promise<readonly ConfigName[]>;
  /**
   * Seals a secret anew that is under a key of before, in one step and only in place of what was read: one that somebody
   * changes meanwhile is read again. What users see of it stays. `dryRun` only looks.
   *
   * @throws UnavailableError `secret.unreadable`.
   */
  reseal(tenant: string, name: string, dryRun: boolean): Promise<'resealed' | 'current' | 'no-secret'>;
  /** How many bytes an actor is given by all configs but the named one. */
  bytesFor(actor: ActorRef, but: string): Promise<number>;
  /**
   * What an actor's containers are given, by name.
   *
   * @throws UnavailableError `secret.unreadable`. @throws InvalidError when it is more than a variable holds.
   */
  valuesFor(actor: ActorRef): Promise<readonly ConfigValue[]>;
}

export interface ConfigName {
  readonly tenant: string;
  readonly name: string;
}

export interface ConfigStoreOptions {
  readonly redis: Redis;
  readonly prefix: string;
  readonly secrets: SecretBox;
}

interface Draft {
  /** As it is to be kept. */
  readonly text: string;
  /** The value is the one that is there, and is kept only while it is. */
  readonly isKept: boolean;
}

export function createConfigStore({ redis, prefix, secrets }: ConfigStoreOptions): ConfigStore {
  const keys = createKeys(prefix);
  const run = createRunScript(redis);

  async function textOf(tenant: string, name: string): Promise<string | undefined> {
    return (await redis.hget(keys.configs(tenant), name).catch(throwRedisError)) ?? undefined;
  }

  /** @param keeps once it is known that the value only stood for the secret: whichever is there then stays. */
  async function save(
    how: 'create' | 'replace',
    config: ActorConfig,
    user: string,
    keeps = false,
  ): Promise<SaveOutcome> {
    const { tenant, name, actors } = config;
    const { text, isKept } = await writeRecord(how, config, keeps);
    const { permissions } = keys.config(tenant, name);
    const answer = String(
      await run(
        'save-config',
        [keys.configs(tenant), keys.configActors(tenant), keys.configsOf(tenant), permissions, keys.aliases(tenant)],
        [name, how, text, actors.join(','), aliasesAmong(actors).join(','), user, isKept ? 'kept' : ''],
      ),
    );
    if (answer === 'changed') return await save(how, config, user, true);
    const unknown = /^unknown (.*)$/s.exec(answer)?.[1];
    return unknown === undefined ? (answer as 'saved' | 'used' | 'gone') : { unknown };
  }

  async function writeRecord(
    how: 'create' | 'replace',
    { tenant, name, value, isSecret }: ActorConfig,
    keeps: boolean,
  ): Promise<Draft> {
    const bytes = bytesOfConfig({ name, value });
    if (!isSecret) return fresh({ isSecret, value, bytes });
    const text = how === 'replace' ? await textOf(tenant, name) : undefined;
    if (text !== undefined && (keeps || standsFor(value, readConfigRecord(text)))) return { text, isKept: true };
    return fresh({ isSecret, value: secrets.seal(tenant, name, value), bytes });
  }

  /** By the id and by every alias, each once. */
  async function namesFor(actor: ActorRef): Promise<readonly string[]> {
    const { tenant, actorId } = actor;
    const aliases = await redis.smembers(keys.aliasesOf(actor)).catch(throwRedisError);
    const found = await Promise.all(
      [actorId, ...aliases].map((word) =>
        redis.zrangebylex(keys.configsOf(tenant), `[${word}\0`, `(${word}\x01`).catch(throwRedisError),
      ),
    );
    const names = found.flat().map((member) => member.slice(member.indexOf('\0') + 1));
    return [...new Set(names)].toSorted();
  }

  async function recordsFor(actor: ActorRef): Promise<readonly (readonly [string, ConfigRecord])[]> {
    const names = await namesFor(actor);
    if (names.length === 0) return [];
    const texts = await redis.hmget(keys.configs(actor.tenant), ...names).catch(throwRedisError);
    // One that was deleted since it was found is left out.
    return names.flatMap((name, index) => {
      const text = texts[index];
      return typeof text === 'string' ? [[name, readConfigRecord(text)] as const] : [];
    });
  }

  return {
    async get(tenant, name) {
      const [text, actors] = await Promise.all([
        textOf(tenant, name),
        redis.hget(keys.configActors(tenant), name).catch(throwRedisError),
      ]);
      return text === undefined ? undefined : shown(tenant, name, readConfigRecord(text), actors);
    },

    async list(tenant) {
      const [records, actors] = await Promise.all([
        redis.hgetall(keys.configs(tenant)).catch(throwRedisError),
        redis.hgetall(keys.configActors(tenant)).catch(throwRedisError),
      ]);
      return Object.keys(records)
        .toSorted()
        .map((name) => shown(tenant, name, readConfigRecord(records[name] as string), actors[name]));
    },

    create: async (config, user) => await save('create', config, user),
    replace: async (config, user) => await save('replace', config, user),

    async remove(tenant, name) {
      const { permissions } = keys.config(tenant, name);
      const dropped = await run(
        'drop-config',
        [keys.configs(tenant), keys.configActors(tenant), keys.configsOf(tenant), permissions],
        [name],
      );
      return String(dropped) === 'dropped';
    },

    async forget({ tenant, actorId }) {
      await run('forget-in-configs', [keys.configActors(tenant), keys.configsOf(tenant)], [actorId]);
    },

    async names() {
      const tenants = (await redis.smembers(keys.tenants).catch(throwRedisError)).toSorted();
      const names = await Promise.all(
        tenants.map(async (tenant) => await redis.hkeys(keys.configs(tenant)).catch(throwRedisError)),
      );
      return tenants.flatMap((tenant, index) => (names[index] ?? []).toSorted().map((name) => ({ tenant, name })));
    },

    async reseal(tenant, name, dryRun) {
      for (;;) {
        const before = await textOf(tenant, name);
        const record = before === undefined ? undefined : readConfigRecord(before);
        if (before === undefined || !record?.isSecret) return 'no-secret';
        const value = secrets.open(tenant, name, record.value);
        if (secrets.isNewest(record.value)) return 'current';
        if (dryRun) return 'resealed';
        const after = { ...record, value: secrets.seal(tenant, name, value), standIn: shownValue(record) };
        const answer = await run('reseal-config', [keys.configs(tenant)], [name, before, JSON.stringify(after)]);
        if (String(answer) === 'resealed') return 'resealed';
      }
    },

    async bytesFor(actor, but) {
      const records = await recordsFor(actor);
      return records.reduce((sum, [name, { bytes }]) => (name === but ? sum : sum + bytes), 0);
    },

    async valuesFor(actor) {
      const records = await recordsFor(actor);
      const problem = configsProblem(records.reduce((sum, [, { bytes }]) => sum + bytes, 0));
      if (problem !== undefined) throw new InvalidError('actor_config.invalid', `It cannot start: ${problem}`);
      return records.map(([name, { isSecret, value }]) => ({
        name,
        value: isSecret ? secrets.open(actor.tenant, name, value) : value,
      }));
    },
  };
}

function standsFor(value: string, record: ConfigRecord): boolean {
  return record.isSecret && value === shownValue(record);
}

function fresh(record: ConfigRecord): Draft {
  return { text: JSON.stringify(record), isKept: false };
}

function shown(tenant: string, name: string, record: ConfigRecord, actors: string | null | undefined): ActorConfig {
  const names = (actors ?? '').split(',').filter((word) => word !== '');
  return { tenant, name, value: shownValue(record), isSecret: record.isSecret, actors: names };
}
