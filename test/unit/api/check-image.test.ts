import { describe, expect, it } from 'vitest';
import { checkImage } from '../../../src/api/check-image.ts';
import type { Launcher, LauncherCapabilities } from '../../../src/launcher/launcher.ts';
import { createLauncherTable } from '../../../src/launcher/launcher-table.ts';

function places(capabilities: Partial<LauncherCapabilities>) {
  const launcher = { name: 'here', capabilities } as unknown as Launcher;
  return {
    config: {
      queues: {},
      service: { defaultLauncher: 'here' },
      tenants: { T: { imagesAllow: [], imagesDeny: ['/tmp/**'] } },
    } as unknown as Parameters<typeof checkImage>[2]['config'],
    launchers: createLauncherTable([{ name: 'here', place: 'here', launcher }]),
  };
}

const settings = { launcher: null, queue: 'default', image: 'debian', memLimit: null, maxCpus: null };
const everything = { imageSources: ['registry', 'oras', 'engine', 'file'] } as const;

describe('the image of an actor that is registered', () => {
  it('is one that its launcher runs', () => {
    expect(() => checkImage('T', settings, places({}))).not.toThrow();
    expect(() => checkImage('T', { ...settings, image: '/x/y.sif' }, places(everything))).not.toThrow();
    expect(() => checkImage('T', { ...settings, image: '/x/y.sif' }, places({}))).toThrow(
      /launcher "here" does not run SIFs by their path; it runs images of registries/,
    );
  });

  it('is one that the tenant may use', () => {
    expect(() => checkImage('T', { ...settings, image: '/tmp/y.sif' }, places(everything))).toThrow(/denies/);
  });

  it.each([
    ['mem_limit', { memLimit: '1g' }],
    ['max_cpus', { maxCpus: 1_000_000_000 }],
  ])('has no %s where the launcher cannot hold it', (name, limit) => {
    expect(() => checkImage('T', { ...settings, ...limit }, places({ resourceLimits: true }))).not.toThrow();
    expect(() => checkImage('T', { ...settings, ...limit }, places({ resourceLimits: false }))).toThrow(
      new RegExp(`leave "${name}" away`),
    );
  });
});
