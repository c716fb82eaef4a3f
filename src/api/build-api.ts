/** The HTTP application; knows nothing of ports. */

import { randomBytes } from 'node:crypto';
import type { AddressInfo, Socket } from 'node:net';
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyServerOptions,
  LogController,
} from 'fastify';
import { createForeignCheck } from '../auth/foreign-request.ts';
import { createTenants, type Tenants } from '../auth/tenants.ts';
import type { Config } from '../config/schema.ts';
import { asError } from '../errors.ts';
import { createLinks, type Links } from './links.ts';
import { createOpenStreams, type OpenStreams } from './open-streams.ts';
import { auditPlugin } from './plugins/audit.ts';
import { authPlugin } from './plugins/auth.ts';
import { corsPlugin } from './plugins/cors.ts';
import { answerError, errorPlugin, renderRawAnswer } from './plugins/errors.ts';
import { limitPlugin, structuredBodyBytes } from './plugins/limits.ts';
import { openApiPlugin } from './plugins/openapi.ts';
import { rewritePath } from './rewrite-path.ts';
import { actorRoutes } from './routes/actors.ts';
import { adminRoutes } from './routes/admin.ts';
import { aliasRoutes } from './routes/aliases.ts';
import { batchRoutes } from './routes/batches.ts';
import { configRoutes } from './routes/configs.ts';
import { cronRoutes } from './routes/cron.ts';
import { eventRoutes } from './routes/events.ts';
import { executionRoutes } from './routes/executions.ts';
import { healthRoutes } from './routes/health.ts';
import { latestRoutes } from './routes/latest.ts';
import { logRoutes } from './routes/logs.ts';
import { messageRoutes } from './routes/messages.ts';
import { metricRoutes } from './routes/metrics.ts';
import { nonceRoutes } from './routes/nonces.ts';
import { permissionRoutes } from './routes/permissions.ts';
import { resultRoutes } from './routes/results.ts';
import { searchRoutes } from './routes/search.ts';
import { stateRoutes } from './routes/state.ts';
import { utilizationRoutes } from './routes/utilization.ts';
import { workerRoutes } from './routes/workers.ts';
import type { Services } from './services.ts';
import { renderSortedJson } from './sorted-json.ts';

declare module 'fastify' {
  interface FastifyInstance {
    services: Services;
    tenants: Tenants;
    streams: OpenStreams;
    /** Links of a tenant's answers. */
    linksFor(tenant: string): Links;
    /** Aborts when the application closes, so that answers without an end have one. */
    closing: AbortSignal;
  }
}

export interface ApiOptions {
  /** Answers only requests with the token of a running execution: for addresses that containers can reach. */
  readonly tokensOnly?: boolean;
}

export function buildApi(services: Services, options: ApiOptions = {}): FastifyInstance {
  const { config, log } = services;
  const { tag } = config.service;
  const answering = { tag, statuses: config.compat.errorStatus };
  const logger: FastifyBaseLogger = log;
  const app = fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    schemaController: { compilersFactory: describingSchemas },
    genReqId: createRequestIds(),
    requestIdHeader: false,
    bodyLimit: structuredBodyBytes,
    http: { maxHeaderSize: config.limits.headerBytes },
    return503OnClosing: false,
    routerOptions: { maxParamLength: config.limits.headerBytes, ignoreTrailingSlash: true },
    rewriteUrl: (request) => rewritePath(request.url ?? '/'),
    // No hook runs for these, so the header for other pages is set here.
    frameworkErrors: (error, request, reply) =>
      void answerError(asError(error), request, reply.header('access-control-allow-origin', '*'), answering),
    clientErrorHandler: (error, socket) => answerClientError(error, socket, tag),
  });
  app.decorate('services', services);
  const tenants = createTenants(config.tenants, config.auth);
  app.decorate('tenants', tenants);
  app.decorate('streams', createOpenStreams(config.limits.streamsPerUser));
  const ownLinks = createLinks(() => config.service.publicUrl || addressOf(app));
  app.decorate('linksFor', (tenant: string) => {
    const apiServer = tenants.rule(tenant)?.apiServer;
    return apiServer === undefined ? ownLinks : createLinks(() => apiServer);
  });
  decorateClosing(app);
  app.setReplySerializer(renderSortedJson);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  // First, or what it answers preflights with would have errors of Fastify's own.
  app.register(errorPlugin, answering);
  const { tokensOnly = false } = options;
  const refuseForeign = createForeignCheck(ownUrls(config));
  // Before preflights are answered, which do not say of which tenant they are, and for what asks no tenant anything.
  if (tenants.open && !tokensOnly) app.addHook('onRequest', async ({ headers }) => throwIf(refuseForeign(headers)));
  app.register(corsPlugin);
  app.register(authPlugin, { services, tenants, refuseForeign, tokensOnly });
  app.register(limitPlugin, services);
  if (config.audit.file !== '') app.register(auditPlugin, services);
  app.register(openApiPlugin);
  app.register(actorRoutes);
  app.register(messageRoutes);
  app.register(batchRoutes);
  app.register(executionRoutes);
  app.register(latestRoutes);
  app.register(logRoutes);
  app.register(resultRoutes);
  app.register(stateRoutes);
  app.register(workerRoutes);
  app.register(permissionRoutes);
  app.register(nonceRoutes);
  app.register(aliasRoutes);
  app.register(configRoutes);
  app.register(eventRoutes);
  app.register(cronRoutes);
  app.register(searchRoutes);
  app.register(utilizationRoutes);
  app.register(adminRoutes);
  app.register(metricRoutes);
  app.register(healthRoutes);
  return app;
}

type SchemaCompilers = NonNullable<NonNullable<FastifyServerOptions['schemaController']>['compilersFactory']>;

/** Schemas describe; what a request may hold is decided by the one lenient reader. The types know AJV's compilers only. */
const describingSchemas = {
  buildValidator: () => () => () => true,
  buildSerializer: () => () => renderSortedJson,
} as unknown as SchemaCompilers;

function createRequestIds(): () => string {
  const process = randomBytes(4).toString('hex');
  let count = 0;
  return () => `${process}-${(count += 1)}`;
}

/**
 * An answer that is sent between `preClose` and the end of listening would keep its connection open for the next
 * request, and the stop would wait until it is idle for long enough; so each answer then closes its own.
 */
function decorateClosing(app: FastifyInstance): void {
  const closing = new AbortController();
  app.decorate('closing', closing.signal);
  app.addHook('preClose', async () => closing.abort());
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (closing.signal.aborted) void reply.header('connection', 'close');
    done();
  });
}

function ownUrls({ service, tenants }: Config): readonly string[] {
  return [service.publicUrl, service.containerUrl, ...Object.values(tenants).map(({ apiServer }) => apiServer)];
}

function throwIf(refusal: Error | undefined): void {
  if (refusal) throw refusal;
}

function addressOf(app: FastifyInstance): string {
  const address = app.server.address() as AddressInfo | null;
  if (!address) return '';
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
}

/** Heads that are too long or no HTTP at all; a broken connection needs no answer. */
function answerClientError(error: Error & { readonly code?: string }, socket: Socket, tag: string): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const tooLong = error.code === 'HPE_HEADER_OVERFLOW';
  const message = tooLong ? 'The head of the request is longer than this server takes' : 'The request is not HTTP';
  socket.end(renderRawAnswer(tooLong ? 431 : 400, message, tag));
}
