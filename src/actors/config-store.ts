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
import { type SecretBox, standInFor } from './secret-box.ts';

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
  /** How many bytes an actor is given by all configs but the named one. */
  bytesFor(actor: ActorRef, but: string): Promise<number>;
  /**
   * What an actor's containers are given, by name.
   *
   * @throws UnavailableError `secret.unreadable`. @throws InvalidError when it is more than a variable holds.
   */
  valuesFor(actor: ActorRef): Promise<readonly ConfigValue[]>;
}

export interface ConfigStoreOptions {
  readonly redis: Redis;
  readonly prefix: string;
  readonly secrets: SecretBox;
}

interface ConfigRecord {
  readonly isSecret: boolean;
  /** Of a secret what the box made of it. */
  readonly value: string;
  /** What it takes of an actor's variable. */
  readonly bytes: number;
}

export function createConfigStore({ redis, prefix, secrets }: ConfigStoreOptions): ConfigStore {
  const keys = createKeys(prefix);
  const run = createRunScript(redis);

  async function recordOf(tenant: string, name: string): Promise<ConfigRecord | undefined> {
    const text = await redis.hget(keys.configs(tenant), name).catch(throwRedisError);
    return text === null ? undefined : (JSON.parse(text) as ConfigRecord);
  }

  async function save(how: 'create' | 'replace', config: ActorConfig, user: string): Promise<SaveOutcome> {
    const { tenant, name, actors } = config;
    const record = await writeRecord(how, config);
    const { permissions } = keys.config(tenant, name);
    const answer = String(
      await run(
        'save-config',
        [keys.configs(tenant), keys.configActors(tenant), keys.configsOf(tenant), permissions, keys.aliases(tenant)],
        [name, how, JSON.stringify(record), actors.join(','), aliasesAmong(actors).join(','), user],
      ),
    );
    const unknown = /^unknown (.*)$/s.exec(answer)?.[1];
    return unknown === undefined ? (answer as 'saved' | 'used' | 'gone') : { unknown };
  }

  async function writeRecord(
    how: 'create' | 'replace',
    { tenant, name, value, isSecret }: ActorConfig,
  ): Promise<ConfigRecord> {
    if (!isSecret) return { isSecret, value, bytes: bytesOfConfig({ name, value }) };
    const before = how === 'replace' ? await recordOf(tenant, name) : undefined;
    if (before?.isSecret === true && value === standInFor(before.value)) return before;
    return { isSecret, value: secrets.seal(tenant, name, value), bytes: bytesOfConfig({ name, value }) };
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
      return typeof text === 'string' ? [[name, JSON.parse(text) as ConfigRecord] as const] : [];
    });
  }

  return {
    async get(tenant, name) {
      const [record, actors] = await Promise.all([
        recordOf(tenant, name),
        redis.hget(keys.configActors(tenant), name).catch(throwRedisError),
      ]);
      return record && shown(tenant, name, record, actors);
    },

    async list(tenant) {
      const [records, actors] = await Promise.all([
        redis.hgetall(keys.configs(tenant)).catch(throwRedisError),
        redis.hgetall(keys.configActors(tenant)).catch(throwRedisError),
      ]);
      return Object.keys(records)
        .toSorted()
        .map((name) => shown(tenant, name, JSON.parse(records[name] as string) as ConfigRecord, actors[name]));
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

function shown(
  tenant: string,
  name: string,
  { isSecret, value }: ConfigRecord,
  actors: string | null | undefined,
): ActorConfig {
  const names = (actors ?? '').split(',').filter((word) => word !== '');
  return { tenant, name, value: isSecret ? standInFor(value) : value, isSecret, actors: names };
}
