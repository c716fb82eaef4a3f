import { describe, expect, it } from 'vitest';
import { guardImages } from '../../../src/launcher/guarded-launcher.ts';
import type { Launcher } from '../../../src/launcher/launcher.ts';

const signal = new AbortController().signal;

class Counting {
  readonly name = 'x';
  prepared = 0;
  #secret = 7;
  async prepare({ name }: { readonly name: string }) {
    this.prepared += 1;
    return { name, digest: 'sha256:0', argv: [] };
  }
  async probe() {
    return { ok: true, detail: String(this.#secret), checks: [] };
  }
}

describe('a launcher with patterns before it', () => {
  const policies = { T: { imagesAllow: [], imagesDeny: ['**/evil'] } };

  it('prepares what the tenant may use, and nothing else', async () => {
    const inner = new Counting();
    const launcher = guardImages(inner as unknown as Launcher, policies);
    await expect(launcher.prepare({ name: 'r.org/good', tenant: 'T' }, signal)).resolves.toMatchObject({
      name: 'r.org/good',
    });
    await expect(launcher.prepare({ name: 'r.org/evil', tenant: 'T' }, signal)).rejects.toMatchObject({
      code: 'image.forbidden',
    });
    await expect(launcher.prepare({ name: 'r.org/evil', tenant: 'U' }, signal)).resolves.toBeDefined();
    expect(inner.prepared).toBe(2);
  });

  it('has every verb the launcher has, those that are optional too, and none that it lacks', () => {
    const names = 'probe check prepare launch find watch cancel collect remove sweep close';
    const verbs = names.split(' ');
    const all = Object.fromEntries(verbs.map((verb) => [verb, () => verb]));
    const launcher = guardImages({ name: 'x', ...all } as unknown as Launcher, {});
    expect(Object.keys(launcher)).toEqual(expect.arrayContaining(verbs));
    const limits = { graceMs: 0, logBytes: 0, resultBytes: 0, resultTotalBytes: 0, resultCount: 0 };
    expect(launcher.check?.({ owner: 'alice', resources: {}, limits })).toBe('check');
    expect(Object.keys(guardImages(new Counting() as unknown as Launcher, {}))).not.toContain('check');
  });

  it('is the launcher itself in all else', async () => {
    const launcher = guardImages(new Counting() as unknown as Launcher, policies);
    expect(launcher.name).toBe('x');
    await expect(launcher.probe(signal)).resolves.toMatchObject({ detail: '7' });
  });
});
