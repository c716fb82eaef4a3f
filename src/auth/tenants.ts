/** The tenants of this installation: who has to show what in each, and how each is answered. */

import type { KeyObject } from 'node:crypto';
import { readRsaPublicKey } from '../lib/rsa-key.ts';
import { assumedRole, rolesIn } from './roles.ts';

/** `none` takes everyone as anonymous; with `jwt` only tokens by the tenant's key, and nonces, count. */
export type TenantRule = TenantAnswers &
  ({ readonly mode: 'none' } | { readonly mode: 'jwt'; readonly key: KeyObject });

interface TenantAnswers {
  /** Base of the links in its answers; nothing is that of the service. */
  readonly apiServer: string | undefined;
  /** Spelling of names in its answers; nothing is that of the service. */
  readonly spelling: 'snake' | 'camel' | undefined;
  /** Of users whose token tells none. */
  readonly defaultRoles: readonly string[];
}

export interface Tenants {
  /** Of requests that name none. */
  readonly defaultTenant: string;
  /** Whether none of them asks for a token. */
  readonly open: boolean;
  /** Nothing when there is no such tenant here. */
  rule(tenant: string): TenantRule | undefined;
}

export interface TenantSettings {
  readonly mode: 'none' | 'jwt';
  readonly publicKey: string;
  readonly developmentKey: string;
  readonly apiServer: string;
  readonly case: 'service' | 'snake' | 'camel';
  readonly defaultRoles: string;
}

const anyTenant: TenantRule = {
  mode: 'none',
  apiServer: undefined,
  spelling: undefined,
  defaultRoles: [assumedRole],
};

/** Where no tenant is configured any name is one, and none asks for a credential: the laptop. */
export function createTenants(
  configured: Readonly<Record<string, TenantSettings>>,
  { defaultTenant }: { readonly defaultTenant: string },
): Tenants {
  const rules = new Map(Object.entries(configured).map(([name, settings]) => [name.toUpperCase(), ruleOf(settings)]));
  return {
    defaultTenant: defaultTenant.toUpperCase(),
    open: rules.values().every(({ mode }) => mode === 'none'),
    rule: (tenant) => (rules.size === 0 ? anyTenant : rules.get(tenant)),
  };
}

/** The pinned key, else the public half of the development key; one of them is there, which the configuration checks. */
function ruleOf(settings: TenantSettings): TenantRule {
  const answers: TenantAnswers = {
    apiServer: settings.apiServer === '' ? undefined : settings.apiServer.replace(/\/+$/, ''),
    spelling: settings.case === 'service' ? undefined : settings.case,
    defaultRoles: rolesIn(settings.defaultRoles),
  };
  if (settings.mode === 'none') return { ...answers, mode: 'none' };
  return { ...answers, mode: 'jwt', key: readRsaPublicKey(settings.publicKey || settings.developmentKey) };
}
