import { describe, expect, it } from 'vitest';
import { attemptOf, containerLabels, containerName } from '../../../../launchers/docker/ownership.ts';
import { planContainer } from '../../../../launchers/docker/plan-container.ts';
import type { LaunchSpec } from '../../../../src/launcher/launcher.ts';

const spec: LaunchSpec = {
  executionId: 'e1',
  attempt: 2,
  tenant: 'tacc',
  actorId: 'a1',
  image: { name: 'lab/word-count', digest: 'sha256:1', argv: ['/app', '--flag', 'two words'] },
  environment: { MSG: 'the message', _abaco_access_token: 'the secret' },
  privileged: false,
  mounts: [{ hostPath: '/srv', containerPath: '/data', mode: 'ro' }],
  limits: { graceMs: 10_000, logBytes: 1_000, resultBytes: 2_000, resultTotalBytes: 10_000_000, resultCount: 1_000 },
  notAfter: new Date(1_763_881_377_900),
};

function plan(changes: Partial<LaunchSpec> = {}, readOnlyTrees = false) {
  const changed = { ...spec, ...changes };
  const starter = 'starter-1';
  return planContainer(changed, {
    image: 'prepared:1',
    labels: containerLabels(changed, { installationId: 'i1', launcher: 'local', starter }),
    starter,
    paths: {
      runDir: '/d/run/e1-2',
      ledgerEntry: '/d/ledger/e1-2/entry',
      nativeDir: '/native',
      engineSocket: '/run/engine.sock',
    },
    network: 'bridge',
    readOnlyTrees,
  });
}

describe('the container of an attempt', () => {
  it('starts with the helper, which starts the command of the image', () => {
    const { Entrypoint, Cmd } = plan();
    expect([Entrypoint, ...(Cmd ?? [])].flat().join(' ')).toBe(
      '/_abaco/bin/abaco-start start --ledger /_abaco/ledger --run /_abaco/run --not-after 1763881377 ' +
        '--grace 10000 --log-limit 1000 --result-limit 2000 --result-total 10000000 --result-count 1000 --label starter-1 -- /app --flag two words',
    );
  });

  it('carries no secret and no message', () => {
    expect(JSON.stringify(plan())).not.toMatch(/the (secret|message)/);
  });

  it('has its time limit when there is one', () => {
    expect(plan({ limits: { ...spec.limits, timeMs: 5_000 } }).Cmd).toEqual(
      expect.arrayContaining(['--time-limit', '5000']),
    );
  });

  it('is confined unless it is privileged', () => {
    expect(plan().HostConfig).toMatchObject({ CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges'] });
    expect(plan().HostConfig).not.toHaveProperty('Privileged');
    const { HostConfig } = plan({ privileged: true });
    expect(HostConfig).toMatchObject({ Privileged: true });
    expect(HostConfig?.Mounts).toContainEqual({
      Type: 'bind',
      Source: '/run/engine.sock',
      Target: '/var/run/docker.sock',
      ReadOnly: false,
    });
    expect(HostConfig).not.toHaveProperty('CapDrop');
  });

  it('has the limits it is given and no others', () => {
    const limits = { ...spec.limits, memoryBytes: 64_000_000, nanoCpus: 500_000_000, pids: 64 };
    expect(plan({ limits }).HostConfig).toMatchObject({
      Memory: 64_000_000,
      MemorySwap: 64_000_000,
      NanoCpus: 500_000_000,
      PidsLimit: 64,
    });
    for (const name of ['Memory', 'MemorySwap', 'NanoCpus', 'PidsLimit'])
      expect(plan().HostConfig).not.toHaveProperty(name);
  });

  it('has its mounts with their modes, and the binary message only when there is one', () => {
    const targets = (container = plan()) =>
      container.HostConfig?.Mounts?.map(({ Target, ReadOnly }) => `${Target} ${ReadOnly ? 'ro' : 'rw'}`);
    expect(targets()).toEqual(['/_abaco/run rw', '/_abaco/ledger rw', '/_abaco/bin ro', '/data ro']);
    const binaryMessage = { bytes: 1, open: async function* () {} };
    expect(targets(plan({ binaryMessage }))).toContain('/_abaco_binary_data ro');
  });

  it('writes nothing below a read-only mount either: the engine sees to it, or it is not there', () => {
    const bindOptions = (readOnlyTrees: boolean) =>
      plan({ mounts: [{ hostPath: '/s', containerPath: '/s', mode: 'ro' }] }, readOnlyTrees).HostConfig?.Mounts?.at(-1)
        ?.BindOptions;
    expect(bindOptions(true)).toEqual({ Propagation: 'rprivate', ReadOnlyForceRecursive: true });
    expect(bindOptions(false)).toEqual({ NonRecursive: true });
    const writable = plan({ mounts: [{ hostPath: '/s', containerPath: '/s', mode: 'rw' }] }).HostConfig?.Mounts?.at(-1);
    expect(writable).not.toHaveProperty('BindOptions');
  });

  it('has a directory of a file server as a volume without a name, with its labels', () => {
    const nfs = { server: 'files.example.org', options: 'nfsvers=4.2,nosuid' };
    const mounts = [{ hostPath: '/export/a,b c', containerPath: '/work', mode: 'ro', nfs }] as const;
    const { HostConfig, Labels } = plan({ mounts });
    expect(HostConfig?.Mounts?.at(-1)).toEqual({
      Type: 'volume',
      Source: '',
      Target: '/work',
      VolumeOptions: {
        NoCopy: true,
        Labels,
        DriverConfig: {
          Name: 'local',
          Options: { type: 'nfs', o: 'addr=files.example.org,ro,nfsvers=4.2,nosuid', device: ':/export/a,b c' },
        },
      },
    });
  });

  it('runs as the user of the image when no other is asked for', () => {
    expect(plan()).not.toHaveProperty('User');
    expect(plan({ user: '1000:100' }).User).toBe('1000:100');
  });

  it('runs neither the health check nor the stop signal of the image, and never by itself again', () => {
    expect(plan()).toMatchObject({ Healthcheck: { Test: ['NONE'] }, StopSignal: 'SIGTERM' });
    expect(plan().HostConfig).toMatchObject({ RestartPolicy: { Name: 'no' }, AutoRemove: false });
  });
});

describe('the labels of a container', () => {
  const labels = containerLabels(spec, { installationId: 'i1', launcher: 'local', starter: 's' });

  it('name its attempt to its own installation alone', () => {
    expect(attemptOf(labels, 'i1')).toEqual({ executionId: 'e1', attempt: 2 });
    expect(attemptOf(labels, 'i2')).toBeUndefined();
    expect(attemptOf({ ...labels, 'org.abaco.attempt': 'x' }, 'i1')).toBeUndefined();
    expect(attemptOf({}, 'i1')).toBeUndefined();
    expect(attemptOf(undefined, 'i1')).toBeUndefined();
  });

  it('go with a name of installation, execution and attempt', () => {
    expect(containerName('i1', spec)).toBe('abaco-i1-e1-2');
  });
});
