/** The OpenAPI document as text, without a service behind it: the routes describe themselves. */

import { pino } from 'pino';
import { loadConfig } from '../config/load.ts';
import { buildApi } from './build-api.ts';
import type { Services } from './services.ts';
import { renderSortedJson } from './sorted-json.ts';

export async function renderOpenApi(): Promise<string> {
  // Nothing is asked for while routes are described; whatever were, would fail at once.
  const described: Pick<Services, 'config' | 'log'> = {
    config: loadConfig({ env: {} }).config,
    log: pino({ level: 'silent' }),
  };
  const app = buildApi(described as Services);
  await app.ready();
  const document = JSON.parse(renderSortedJson(app.swagger())) as unknown;
  await app.close();
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
