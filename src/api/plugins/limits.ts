/**
 * How many requests a user and a tenant may send, and what one may weigh. Its size is judged by what it announces, before a byte of the body is read; what a client
 * sends all the same is thrown away for a while, so that it reads the answer instead of a broken connection.
 */

import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { AllowanceStore } from '../../auth/allowance-store.ts';
import type { Caller } from '../../auth/caller.ts';
import type { Config } from '../../config/schema.ts';
import { tenantSettings } from '../../config/tenant-settings.ts';
import { InvalidError } from '../../errors.ts';
import { tooLargeMessage } from './errors.ts';

/** Forms and JSON, which are read whole: what the original's own front proxy let through (contract §1.1). */
export const structuredBodyBytes = 1024 * 1024;

/** A batch of messages: ten thousand of 1,600 bytes. It is read whole, too. */
export const batchBodyBytes = 16 * 1024 * 1024;

export const batchRoute = '/actors/:actor_id/messages/batch';

/** Longest a body that was refused is still read and thrown away. */
const lingerMs = 5_000;

export interface LimitPluginOptions {
  readonly config: Config;
  readonly allowances: AllowanceStore;
}

export const limitPlugin = fastifyPlugin(
  async (app: FastifyInstance, options: LimitPluginOptions) => {
    // Who could not be told apart is refused already; health and documentation are nobody's requests.
    app.addHook('onRequest', async (request) => {
      const caller = request.caller as Caller | undefined;
      if (caller) await options.allowances.take(caller.tenant, caller.user);
    });
    app.addHook('preParsing', (request, _reply, _payload, done) => {
      const announced = request.headers['content-length'];
      if (announced === undefined) return done();
      const limit = limitOf(request, options.config);
      if (Number(announced) <= limit.readBytes) return done();
      linger(request.raw);
      done(new InvalidError('request.too_large', tooLargeMessage(limit.what, limit.bytes)));
    });
    answerBeforeContinue(app, options.config.messages.maxBytes);
  },
  { name: 'abaco-limits' },
);

interface Limit {
  readonly what: string;
  /** As the user is told. */
  readonly bytes: number;
  /** As read: text in JSON takes more room than the text itself. */
  readonly readBytes: number;
}

function limitOf(request: FastifyRequest, config: Config): Limit {
  if (request.routeOptions.url === batchRoute) {
    return { what: 'Request body', bytes: batchBodyBytes, readBytes: batchBodyBytes };
  }
  if (!isMessagePost(request)) {
    return { what: 'Request body', bytes: structuredBodyBytes, readBytes: structuredBodyBytes };
  }
  const { binary, text } = tenantSettings(config, request.caller.tenant).messageBytes;
  if (isBinary(request)) return { what: 'Message', bytes: binary, readBytes: binary };
  return { what: 'Message', bytes: text, readBytes: structuredBodyBytes };
}

export function isMessagePost(request: FastifyRequest): boolean {
  return request.method === 'POST' && request.routeOptions.url === '/actors/:actor_id/messages';
}

/** Exactly so, without parameters (contract §7.6). */
export function isBinary(request: FastifyRequest): boolean {
  return request.headers['content-type'] === 'application/octet-stream';
}

/** Who asks first whether to go on is told no without sending the body; of which tenant it is nobody knows yet. */
function answerBeforeContinue(app: FastifyInstance, maxBytes: number): void {
  app.server.on('checkContinue', (request, response) => {
    if (Number(request.headers['content-length'] ?? 0) <= maxBytes) response.writeContinue();
    app.routing(request, response);
  });
}

/** A body whose length may not have been announced. */
export async function readWithin(request: FastifyRequest, payload: Readable, bytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let received = 0;
  // Its end by an error would break the connection before the answer.
  for await (const chunk of payload.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    received += chunk.byteLength;
    if (received > bytes) {
      linger(request.raw);
      throw new InvalidError('request.too_large', tooLargeMessage('Request body', bytes));
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function linger(request: IncomingMessage): void {
  const timer = setTimeout(() => request.socket.destroy(), lingerMs);
  timer.unref();
  request.once('end', () => clearTimeout(timer));
  request.once('close', () => clearTimeout(timer));
  request.resume();
}
