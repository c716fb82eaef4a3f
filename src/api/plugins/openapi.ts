/** The OpenAPI document, made of the routes' own schemas, and a page to try them. */

import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { errorAnswer, problem } from '../schemas/common.ts';

const description = `Functions-as-a-service for scientific computing: an actor is a container image with an HTTP mailbox,
and every message runs one container.

Paths are also answered with the prefix \`/actors/v2\`. Names of attributes are shown in snake form; a server may be set to
answer in camel form, and takes both. A tenant may ask for a token; one that does not takes everybody as anonymous. Every
JSON answer is an envelope with \`message\`, \`result\`, \`status\` and \`version\`; who accepts
\`application/problem+json\` gets errors as problem details.

Errors have the numbers of Abaco's contract, which knows no 401, 403 or 409. Problem details have those of HTTP, and so has
everything on a server with \`compat.error_status = "http"\`, which answers 201 where something was created.`;

const tags = [
  { name: 'Actors', description: 'Images that are registered, with their settings.' },
  { name: 'Messages', description: 'The mailbox of an actor.' },
  { name: 'Executions', description: 'Runs of an actor, one for each message.' },
  { name: 'Logs', description: 'What programs write to standard output and error.' },
  { name: 'Results', description: 'Chunks that executions hand back.' },
  { name: 'State', description: 'What a stateful actor keeps between messages.' },
  { name: 'Workers', description: 'Loops of the service that serve actors.' },
  {
    name: 'Permissions',
    description: 'What users may do with an actor, an alias or a config: NONE < READ < EXECUTE < UPDATE.',
  },
  { name: 'Nonces', description: 'Keys of limited use to one actor or alias, for those who have no token.' },
  { name: 'Aliases', description: 'Second names of actors, unique in a tenant.' },
  { name: 'Configs', description: 'Settings and secrets that several actors are given.' },
  { name: 'Search', description: 'Actors, executions, workers and logs by their attributes and words.' },
  { name: 'Admin', description: 'All tenants, for administrators.' },
  { name: 'Health', description: 'For those who run the service.' },
];

export const openApiPlugin = fastifyPlugin(
  async (app: FastifyInstance) => {
    for (const schema of [errorAnswer, problem]) app.addSchema(schema);
    await app.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'Abaco HPC',
          description,
          version: '2',
          license: { name: 'BSD-3-Clause', identifier: 'BSD-3-Clause' },
        },
        servers: [{ url: '/', description: 'This server.' }],
        tags,
        security: [{}, { tenantToken: [] }, { tenantAssertion: [] }, { executionToken: [] }, { nonce: [] }],
        components: {
          securitySchemes: {
            tenantToken: {
              type: 'http',
              scheme: 'bearer',
              bearerFormat: 'JWT',
              description:
                'Signed with RS256 by the key of the tenant, which header `tenant` names, else the default one.',
            },
            tenantAssertion: {
              type: 'apiKey',
              in: 'header',
              name: 'X-Jwt-Assertion-TENANT',
              description: 'The same token as gateways send it: the name of the header ends with that of the tenant.',
            },
            nonce: {
              type: 'apiKey',
              in: 'query',
              name: 'x-nonce',
              description: 'Acts as who made it, on the actor or alias it was made for, up to its level.',
            },
            executionToken: {
              type: 'http',
              scheme: 'bearer',
              description: "What a container finds in _abaco_access_token: its owner's rights while it runs.",
            },
          },
        },
      },
      refResolver: {
        buildLocalReference: (json, _base, _fragment, index) =>
          typeof json['$id'] === 'string' ? json['$id'] : `schema-${index}`,
      },
    });
    await app.register(swaggerUi, {
      routePrefix: '/docs',
      uiConfig: { validatorUrl: null, displayRequestDuration: true },
    });
    app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  },
  { name: 'abaco-openapi' },
);
