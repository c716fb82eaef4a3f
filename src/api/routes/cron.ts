/**
 * `GET /cron` (contract §7.16): in the original what made schedules go on, for its own network alone. Here supervisors look
 * by themselves, so it only says what the public has always been told.
 */

import type { FastifyInstance } from 'fastify';
import { ForbiddenError } from '../../errors.ts';

export async function cronRoutes(app: FastifyInstance): Promise<void> {
  app.get('/cron', { schema: { hide: true } }, async () => {
    throw new ForbiddenError('request.forbidden', 'Not authorized.');
  });
}
