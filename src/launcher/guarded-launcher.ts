/** A launcher that prepares only what the tenant of an image may use: whatever came in before the patterns were written. */

import { optional } from '../lib/optional.ts';
import { checkImagePolicy, type ImagePolicy } from './image-policy.ts';
import type { Launcher } from './launcher.ts';

export function guardImages(launcher: Launcher, policies: Readonly<Record<string, ImagePolicy>>): Launcher {
  return {
    name: launcher.name,
    get capabilities() {
      return launcher.capabilities;
    },
    async prepare(image, signal, onProgress) {
      const { tenant } = image;
      if (tenant !== undefined) checkImagePolicy(tenant, image.name, policies[tenant]);
      return await launcher.prepare(image, signal, onProgress);
    },
    probe: async (signal) => await launcher.probe(signal),
    // What it cannot do it has no verb for. A dry run prepares nothing, and is asked of the launcher itself.
    ...('check' in launcher && { check: (asked) => launcher.check?.(asked) }),
    launch: async (spec, signal) => await launcher.launch(spec, signal),
    find: async (attempt, signal) => await launcher.find(attempt, signal),
    watch: (handle, signal) => launcher.watch(handle, signal),
    cancel: async (ref, graceMs) => await launcher.cancel(ref, graceMs),
    collect: async (handle, signal) => await launcher.collect(handle, signal),
    remove: async (ref) => await launcher.remove(ref),
    sweep: async (findDead, signal) => await launcher.sweep(findDead, signal),
    ...optional('images', launcher.images),
    close: async () => await launcher.close(),
  };
}
