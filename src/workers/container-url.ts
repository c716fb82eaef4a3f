/** At which address the programs of a tenant find the API (contract §9.2: the base URL of the tenant). */

import { isLoopback } from '../lib/bridge-address.ts';

export interface ContainerUrls {
  /** `service.container_url`: what an operator says of containers stands over all. */
  readonly containerUrl: string;
  /** `api_server` of the tenant. */
  readonly tenant: string | undefined;
  readonly publicUrl: string;
  /** `service.host` and `service.port`, by which an API beside this process listens as well. */
  readonly host: string;
  readonly port: number;
  /** Where the API of this process listens, when it has one. */
  readonly ours: { readonly url: string; readonly port: number } | undefined;
  /** This host's address on the engine's network, where it has one. */
  readonly bridge: string | undefined;
  /** Whether they run on other hosts, to which that network says nothing. */
  readonly elsewhere: boolean;
}

/**
 * An API on loopback listens on the engine's bridge too, so that stands in for loopback, which containers have their own of.
 * On other hosts it does so only where there is nothing better to say.
 */
export function planContainerUrl(urls: ContainerUrls): string {
  const { ours, bridge, host } = urls;
  const said = urls.containerUrl || urls.tenant;
  if (said) return said;
  if (urls.elsewhere && mayReach(urls.publicUrl)) return urls.publicUrl;
  const known = urls.publicUrl || ours?.url || '';
  const port = ours?.port ?? urls.port;
  const onLoopback = (ours !== undefined && isLoopback(host)) || namesLoopback(known);
  return onLoopback && bridge !== undefined && port !== 0 ? `http://${bridge}:${port}` : known;
}

/** Whether a container with a network of its own may reach it. */
export function mayReach(url: string): boolean {
  return url !== '' && !namesLoopback(url);
}

function namesLoopback(url: string): boolean {
  return isLoopback(URL.parse(url)?.hostname.replace(/^\[|\]$/g, '') ?? '');
}
