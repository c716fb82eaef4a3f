/** A process that prepares an image through a login node, to be killed while it builds. Its options are its argument. */

import { argv } from 'node:process';
import type { HostOptions } from '../../launchers/host/host-options.ts';
import { openBuildStore } from './build-store.ts';

const { options, directory, registry, image } = JSON.parse(argv[2] ?? '{}') as {
  readonly options: HostOptions;
  readonly directory: string;
  readonly registry: string;
  readonly image: string;
};
const { store, close } = openBuildStore({ options, directory, registry });
await store.prepare({ name: image }, new AbortController().signal, (text) => console.log(text));
await close();
