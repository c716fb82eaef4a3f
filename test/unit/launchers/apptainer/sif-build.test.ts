import { describe, expect, it } from 'vitest';
import { mayGo } from '../../../../launchers/apptainer/image-cache.ts';
import { parseUse } from '../../../../launchers/apptainer/image-uses.ts';
import { failureOf, lastLine, renderAccount, renderDefinition } from '../../../../launchers/apptainer/sif-build.ts';

const access = { username: 'u', password: 'p"$(x)', insecure: true };

describe('the definition of a SIF', () => {
  it('adds the one link that no mount can be', () => {
    const text = renderDefinition({ bootstrap: 'docker', from: 'r:5000/x@sha256:0' });
    expect(text).toMatch(/^Bootstrap: docker\nFrom: r:5000\/x@sha256:0\n\n%setup\n/);
    expect(text).toContain('ln -sf /_abaco/run/results.sock "$APPTAINER_ROOTFS/_abaco_results.sock"');
    expect(text).not.toContain('%runscript');
  });

  it('leaves credentials to a file, under the name of their registry', () => {
    const text = renderAccount({ bootstrap: 'docker', from: 'x', registry: 'r:5000', access }) ?? '';
    const { auths } = JSON.parse(text) as { readonly auths: Readonly<Record<string, { readonly auth: string }>> };
    expect(Buffer.from(auths['r:5000']?.auth ?? '', 'base64').toString()).toBe('u:p"$(x)');
    expect(renderAccount({ bootstrap: 'docker', from: 'x', registry: 'r:5000' })).toBeUndefined();
  });
});

describe('the log of a build', () => {
  it.each([
    ['a\nb\n\n', 'b'],
    ['10%\r20%\r', '20%'],
    ['\u001b[34mINFO:\u001b[0m    Creating SIF file...\n', 'INFO:    Creating SIF file...'],
    ['', ''],
  ])('%j ends with %j', (text, line) => expect(lastLine(text)).toBe(line));

  it.each([
    ['FATAL: no space left on device', 'launcher.disk_full'],
    ['FATAL: dial tcp 10.0.0.1:443: i/o timeout', 'image.registry_unavailable'],
    ['FATAL: while unpacking tar: unexpected EOF', 'image.invalid'],
  ])('%j is %s', (log, code) => {
    expect(failureOf('x', 255, log)).toMatchObject({ code, retryable: code !== 'image.invalid' });
  });

  it('that was ended by a signal says nothing about the image', () => {
    expect(failureOf('x', 137, 'INFO: Copying')).toMatchObject({ code: 'launcher.unavailable', retryable: true });
  });
});

describe('an image of the cache', () => {
  const now = new Date('2030-01-01T00:00:00Z');
  const hoursAgo = (hours: number) => new Date(now.getTime() - hours * 3_600_000);
  const image = {
    digest: 'd',
    name: 'x',
    bytes: 1,
    path: '/x',
    tenants: [],
    usedElsewhere: false,
    usedAt: hoursAgo(48),
  };
  const request = { olderThanMs: 24 * 3_600_000, isNeeded: () => false, dryRun: false, now };

  it('goes when it is old and nobody needs it', () => expect(mayGo(image, request, new Set())).toBe(true));

  it.each([
    ['it was used', { ...image, usedAt: hoursAgo(23) }, request, []],
    ['an actor needs it', image, { ...request, isNeeded: (digest: string) => digest === 'd' }, []],
    ['something runs with it', image, request, ['d']],
    ['another installation uses it', { ...image, usedElsewhere: true }, request, []],
    [
      'it was used just now, whatever is asked for',
      { ...image, usedAt: hoursAgo(0.5) },
      { ...request, olderThanMs: 0 },
      [],
    ],
  ] as const)('stays when %s', (_, kept, asked, running) => {
    expect(mayGo(kept, asked, new Set<string>(running))).toBe(false);
  });

  it.each(['', 'x', '{}', '{"tenant":1}', '{"tenant":"","place":"","installation":"","usedAt":"x","resolvedAt":"y"}'])(
    'has no use in %j',
    (text) => expect(parseUse(text)).toBeUndefined(),
  );
});
