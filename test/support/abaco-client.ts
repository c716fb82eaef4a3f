/** The API as clients of the original meet it: one tenant that asks for tokens, and users with the contract's roles. */

import { type Answer, ask, type Question } from './api-requests.ts';
import { type ApiService, type ApiServiceOptions, startApiService } from './api-service.ts';
import { claimsOf, makeTestKey, signToken } from './tokens.ts';

export const physicsKey = makeTestKey();

export const roleNames = {
  limited: 'Internal/abaco-limited',
  user: 'Internal/everyone',
  privileged: 'Internal/abaco-privileged',
  admin: 'Internal/abaco-admin',
} as const;

export type RoleName = keyof typeof roleNames;

/** Headers of a user of the tenant PHYSICS, as its gateway sends them. */
export function as(user: string, role: RoleName | 'none' = 'user'): Readonly<Record<string, string>> {
  const claim = role === 'none' ? 'Other/role' : roleNames[role];
  const claims = claimsOf(user, { 'http://wso2.org/claims/role': claim });
  return { 'x-jwt-assertion-physics': signToken(physicsKey.privateKey, { claims }) };
}

export interface Client extends AsyncDisposable {
  readonly api: ApiService;
  /** @param who - headers, by `as`; none shows nothing. */
  send(line: string, who?: Readonly<Record<string, string>>, question?: Omit<Question, 'headers'>): Promise<Answer>;
  /** An actor that is ready. @returns its id. */
  register(owner?: string, settings?: object): Promise<string>;
}

export async function startClient(tenants = '', options: Omit<ApiServiceOptions, 'siteFile'> = {}): Promise<Client> {
  const physics = `[tenants.PHYSICS]\npublic_key = """${physicsKey.publicPem}"""\n`;
  const siteFile = `[auth]\ndefault_tenant = "PHYSICS"\n${physics}${tenants}`;
  const api = await startApiService({ ...options, siteFile });
  const send: Client['send'] = (line, who = {}, question = {}) => ask(api.app, line, { ...question, headers: who });
  return {
    api,
    send,
    async register(owner = 'olga', settings = {}) {
      const { result, text } = await send('POST /actors', as(owner, 'admin'), {
        json: { image: 'debian', ...settings },
      });
      if (result === null) throw new Error(text);
      const { id } = result as { readonly id: string };
      await api.services.actors.markReady({ tenant: 'PHYSICS', actorId: id }, 1, `sha256:${'0'.repeat(64)}`);
      return id;
    },
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}

/** Lets a user do as much with an actor of Olga's. */
export async function shareActor(client: Client, actorId: string, user: string, level: string): Promise<void> {
  const { status, text } = await client.send(`POST /actors/${actorId}/permissions`, as('olga'), {
    json: { user, level },
  });
  if (status !== 200) throw new Error(text);
}

/** An actor of Olga's with a message of Jane's, so that who owns the one is not who sent the other. */
export async function sendAsJane(client: Client): Promise<{ readonly actor: string; readonly sent: Answer }> {
  const actor = await client.register('olga');
  await shareActor(client, actor, 'jane', 'EXECUTE');
  const sent = await client.send(`POST /actors/${actor}/messages`, as('jane'), { json: { message: 'hello' } });
  if (sent.status !== 200) throw new Error(sent.text);
  return { actor, sent };
}

/** A worker that is ready and has run nothing, of an actor of this client's tenant. */
export async function saveReadyWorker({ api }: Client, actorId: string, id: string): Promise<void> {
  await api.services.workers.save({
    tenant: 'PHYSICS',
    actorId,
    id,
    status: 'ready',
    image: 'debian',
    hostId: 'node-1',
    location: 'local',
    createTime: new Date(),
    lastHealthCheckTime: new Date(),
  });
}
