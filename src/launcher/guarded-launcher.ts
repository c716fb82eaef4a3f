/** A launcher that prepares only what the tenant of an image may use: whatever came in before the patterns were written. */

import { checkImagePolicy, type ImagePolicy } from './image-policy.ts';
import type { Launcher } from './launcher.ts';

export function guardImages(launcher: Launcher, policies: Readonly<Record<string, ImagePolicy>>): Launcher {
  return Object.create(launcher, {
    prepare: {
      value: async (...[image, signal, onProgress]: Parameters<Launcher['prepare']>) => {
        const { tenant } = image;
        if (tenant !== undefined) checkImagePolicy(tenant, image.name, policies[tenant]);
        return await launcher.prepare(image, signal, onProgress);
      },
    },
  }) as Launcher;
}
