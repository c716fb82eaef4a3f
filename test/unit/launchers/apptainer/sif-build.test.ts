import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { mayGo } from '../../../../launchers/apptainer/image-cache.ts';
import { parseUse } from '../../../../launchers/apptainer/image-uses.ts';
import {
  buildSif,
  failureOf,
  lastLine,
  renderAccount,
  renderDefinition,
  withoutAnswers,
} from '../../../../launchers/apptainer/sif-build.ts';
import { createLocalHost } from '../../../../launchers/host/local-host.ts';
import { makeTestDirectory } from '../../../support/test-directory.ts';

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

describe('a build', () => {
  it('is given up by nobody but whoever asked for it, however long it waits elsewhere, and tells why it does', async () => {
    await using directory = await makeTestDirectory('sif-build');
    const { signal } = new AbortController();
    const given: AbortSignal[] = [];
    const told: string[] = [];
    await buildSif({
      host: createLocalHost({ scratchRoots: [directory.path] }),
      program: 'apptainer',
      name: 'x',
      work: directory.path,
      recipe: { bootstrap: 'docker', from: 'x' },
      signal,
      onLine: (line) => void told.push(line),
      run: async (_, runSignal, onWait) => {
        given.push(runSignal);
        onWait('the queue is long');
        return 0;
      },
    });
    expect(given[0]).toBe(signal);
    expect(told).toEqual(['the queue is long']);
  });
});

describe('a build that fails', () => {
  const words = 'FATAL:   GET http://r.org/v2/x: unexpected status code 404 Not Found: SECRET\nSECRET';

  it.each([
    ['any registry', { registry: 'r.org' }, false],
    ['one in the configuration', { registry: 'r.org', access }, true],
    ['a file', {}, true],
  ])('tells what %s has said: %s %s', async (_, source, isTold) => {
    await using directory = await makeTestDirectory('sif-build');
    const host = createLocalHost({ scratchRoots: [directory.path] });
    const told: string[] = [];
    const failing = buildSif({
      host,
      program: 'apptainer',
      name: 'x',
      work: directory.path,
      recipe: { bootstrap: 'docker', from: 'x', ...source },
      signal: new AbortController().signal,
      onLine: (line) => void told.push(line),
      run: async () => {
        await writeFile(join(directory.path, 'build.log'), words);
        await setTimeout(1_500);
        return 255;
      },
    });
    const error = await failing.catch((thrown: unknown) => thrown as Error);
    expect(error).toMatchObject({ code: 'image.invalid', message: expect.stringContaining('404 Not Found') });
    for (const text of [(error as Error).message, told.join('\n')]) expect(text.includes('SECRET')).toBe(isTold);
  });
});

describe('the log of a build from any registry', () => {
  const url = 'http://r.org/v2/xyz/blobs/sha256:0';
  const start = `FATAL:   While performing build: conveyor failed to get: GET ${url}: `;

  it.each([
    // As Apptainer 1.4.5 has it.
    [`${start}unexpected status code 404 Not Found: SECRET\nSECRET: SECRET`, 'unexpected status code 404 Not Found'],
    [`${start}unexpected status code 499: SECRET`, 'unexpected status code 499'],
    [`${start}unexpected status code 500 Internal Server Error`, 'unexpected status code 500 Internal Server Error'],
    [`${start}DENIED: SECRET; SECRET`, 'DENIED'],
    [`${start}TOOMANYREQUESTS: SECRET: SECRET`, 'TOOMANYREQUESTS'],
    [`${start}multiple errors returned: SECRET; SECRET`, 'it failed'],
    [`${start}SECRET`, 'it failed'],
    [`\u001b[31m${start}\u001b[0mSECRET\rSECRET\u2028SECRET`, 'it failed'],
  ])('%j is told without the answer', (log, outcome) => {
    expect(withoutAnswers(`building on x\nINFO:    Fetching OCI image...\n${log}\n`)).toBe(
      `INFO:    Fetching OCI image...\n${start}${outcome}`,
    );
  });

  it('is not told where it begins within an answer', () => {
    expect(withoutAnswers('SECRET, the end of a long answer\n<p>SECRET</p>\n')).toBe('');
  });

  it('is told where nothing was answered', () => {
    const log = 'INFO:    Creating SIF file...\nFATAL:   While performing build: no space left on device';
    expect(withoutAnswers(log)).toBe(log);
  });

  it('still says whether its trouble may pass', () => {
    const log = `${start}unexpected status code 503 Service Unavailable: SECRET`;
    const failure = failureOf('x', 255, log, withoutAnswers(log));
    expect(failure).toMatchObject({ code: 'image.registry_unavailable', retryable: true });
    expect(failure.message).toMatch(/unexpected status code 503 Service Unavailable$/);
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
