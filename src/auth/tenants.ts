/** The tenants of this installation: who has to show what in each. */

import type { KeyObject } from 'node:crypto';
import { readRsaPublicKey } from '../lib/rsa-key.ts';

/** `none` takes everyone as anonymous; with `jwt` only tokens by the tenant's key count. */
export type TenantRule = { readonly mode: 'none' } | { readonly mode: 'jwt'; readonly key: KeyObject };

export interface Tenants {
  /** Of requests that name none. */
  readonly defaultTenant: string;
  /** Nothing when there is no such tenant here. */
  rule(tenant: string): TenantRule | undefined;
}

export interface TenantSettings {
  readonly mode: 'none' | 'jwt';
  readonly publicKey: string;
  readonly developmentKey: string;
}

/** Where no tenant is configured any name is one, and none asks for a credential: the laptop. */
export function createTenants(
  configured: Readonly<Record<string, TenantSettings>>,
  { defaultTenant }: { readonly defaultTenant: string },
): Tenants {
  const rules = new Map(Object.entries(configured).map(([name, settings]) => [name.toUpperCase(), ruleOf(settings)]));
  return {
    defaultTenant: defaultTenant.toUpperCase(),
    rule: (tenant) => (rules.size === 0 ? { mode: 'none' } : rules.get(tenant)),
  };
}

/** The pinned key, else the public half of the development key; one of them is there, which the configuration checks. */
function ruleOf({ mode, publicKey, developmentKey }: TenantSettings): TenantRule {
  return mode === 'none' ? { mode } : { mode, key: readRsaPublicKey(publicKey || developmentKey) };
}
