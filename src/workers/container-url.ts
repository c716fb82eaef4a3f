/** At which address the programs of a tenant find the API (contract §9.2: the base URL of the tenant). */

export interface ContainerUrls {
  /** `service.container_url`: what an operator says of containers stands over all. */
  readonly containerUrl: string;
  /** `api_server` of the tenant. */
  readonly tenant: string | undefined;
  /** Where this process listens for containers, when it listens. */
  readonly ours: string | undefined;
  readonly publicUrl: string;
}

export function planContainerUrl({ containerUrl, tenant, ours, publicUrl }: ContainerUrls): string {
  return containerUrl || tenant || ours || publicUrl;
}
