/** What is set for the service and may be set for a tenant: what holds for one. Pure. */

import type { Config } from './schema.ts';

export interface TenantSettings {
  readonly defaultToken: Config['compat']['defaultToken'];
  /** Null is for ever. */
  readonly logKeepMs: number | null;
  readonly logKeepLimitMs: number | null;
  /** The longest message of each kind. */
  readonly messageBytes: { readonly binary: number; readonly text: number };
}

/** Where no tenant is configured any name is one, and has what the service has. */
export function tenantSettings({ tenants, compat, logs, messages }: Config, tenant: string): TenantSettings {
  const own = Object.hasOwn(tenants, tenant) ? tenants[tenant] : undefined;
  const most = own?.maxMessageBytes ?? Number.POSITIVE_INFINITY;
  return {
    defaultToken: own ? own.defaultToken : compat.defaultToken,
    logKeepMs: own ? own.logKeepMs : logs.keepMs,
    logKeepLimitMs: own ? own.logKeepLimitMs : logs.keepLimitMs,
    messageBytes: { binary: Math.min(most, messages.maxBytes), text: Math.min(most, messages.maxTextBytes) },
  };
}
