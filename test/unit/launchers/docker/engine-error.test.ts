import { describe, expect, it } from 'vitest';
import { EngineRefusal, launchFailure, pullFailure, unreachable } from '../../../../launchers/docker/engine-error.ts';

const nfsMount =
  "error while mounting volume '/v': failed to mount local volume: mount :/e:/v, flags: 0x1, data: addr=127.0.0.1,nfsvers=4.2: ";

/** Words of Docker 20.10, Podman 4 and registries, as they were seen. */
describe('a refusal of the engine', () => {
  it.each<[number, string, string]>([
    [400, 'invalid mount config for type "bind": bind source path does not exist: /nope', 'mount.missing'],
    [400, 'Minimum memory limit allowed is 6MB', 'launcher.rejected'],
    [400, 'Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available', 'launcher.rejected'],
    [400, 'unable to find user nobody: no matching entries in passwd file', 'launcher.rejected'],
    [500, 'OCI runtime create failed: exec: "/_abaco/bin/abaco-start": permission denied', 'launcher.rejected'],
    [500, 'unable to find user nobody: no matching entries in passwd file', 'launcher.rejected'],
    [500, 'error creating overlay mount: no space left on device', 'launcher.disk_full'],
    [500, 'write /var/lib/docker/x: disk quota exceeded', 'launcher.disk_full'],
    [500, 'could not find bridge docker0: route ip+net: no such network interface', 'launcher.unavailable'],
    [503, 'engine is starting', 'launcher.unavailable'],
    [500, `${nfsMount}no such device`, 'launcher.rejected'],
    [500, `${nfsMount}permission denied`, 'launcher.rejected'],
    [500, `${nfsMount}connection refused`, 'launcher.unavailable'],
    [500, `${nfsMount}no route to host`, 'launcher.unavailable'],
    [
      500,
      `error while mounting volume '/v': error resolving passed in network volume address: lookup files: no such host`,
      'launcher.unavailable',
    ],
  ])('to start, %i %j, is %s', (status, message, code) => {
    const failure = launchFailure(new EngineRefusal(status, message), 'Attempt 1 of execution "e1"');
    expect(failure).toMatchObject({ code, retryable: /unavailable|disk_full/.test(code) });
    expect((failure as Error).message).toMatch('Attempt 1 of execution "e1" was not started');
  });

  it.each<[number, string, string]>([
    [404, 'manifest for 127.0.0.1:5000/a:b not found: manifest unknown: manifest unknown', 'image.not_found'],
    [404, 'pull access denied for nowhere, repository does not exist or may require docker login', 'image.not_found'],
    [404, 'No such image: a:b', 'image.not_found'],
    [500, 'Get "http://127.0.0.1:5000/v2/a/manifests/b": no basic auth credentials', 'image.denied'],
    [500, 'unauthorized: authentication required', 'image.denied'],
    [500, 'denied: requested access to the resource is denied', 'image.denied'],
    [400, 'invalid reference format', 'image.invalid'],
    [
      500,
      'Get "http://127.0.0.1:5000/v2/": dial tcp 127.0.0.1:5000: connect: connection refused',
      'image.registry_unavailable',
    ],
    [
      500,
      'Get "https://r.example.org/v2/": dial tcp: lookup r.example.org: no such host',
      'image.registry_unavailable',
    ],
    [
      500,
      'net/http: request canceled while waiting for connection (Client.Timeout exceeded)',
      'image.registry_unavailable',
    ],
    [200, 'toomanyrequests: You have reached your pull rate limit', 'image.registry_unavailable'],
    [500, 'write /var/lib/docker/tmp/x: no space left on device', 'launcher.disk_full'],
  ])('to pull, %i %j, is %s', (status, message, code) => {
    expect(pullFailure(new EngineRefusal(status, message), 'a:b')).toMatchObject({ code });
  });

  it('of another sort is passed on', () => {
    const error = new Error('other');
    expect(launchFailure(error, 'x')).toBe(error);
    expect(pullFailure(error, 'x')).toBe(error);
  });
});

describe('an engine that does not answer', () => {
  it.each([
    ['ENOENT', 'the socket does not exist'],
    ['ECONNREFUSED', 'nobody listens'],
    ['EACCES', 'may not open'],
    ['EOTHER', 'as it was said'],
  ])('with %s is told in words', (code, words) => {
    const error = unreachable('/run/engine.sock', Object.assign(new Error('as it was said'), { code }));
    expect(error).toMatchObject({ code: 'launcher.unavailable', retryable: true });
    expect(error.message).toMatch(`"/run/engine.sock" does not answer: `);
    expect(error.message).toMatch(words);
  });
});
