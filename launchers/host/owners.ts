/** Who has had something run here: kept on the cluster, so that whoever sweeps after a crash knows where to look. */

import type { Host } from './host.ts';

export interface Owners {
  note(owner: string): Promise<void>;
  list(): Promise<readonly string[]>;
}

/** @param host - as the service account. */
export function createOwners(host: Host, directory: string): Owners {
  const noted = new Set<string>();
  return {
    async note(owner) {
      if (noted.has(owner)) return;
      await host.makeDirectory(directory, 0o700);
      await host.put(`${directory}/${owner}`, new Uint8Array());
      noted.add(owner);
    },
    list: async () => (await host.list(directory)) ?? [],
  };
}
