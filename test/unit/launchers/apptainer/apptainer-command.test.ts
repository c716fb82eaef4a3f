import { describe, expect, it } from 'vitest';
import { planApptainer, renderMount } from '../../../../launchers/apptainer/apptainer-command.ts';
import type { LaunchSpec } from '../../../../src/launcher/launcher.ts';

const spec: LaunchSpec = {
  executionId: 'e1',
  attempt: 1,
  tenant: 'T',
  actorId: 'a1',
  image: { name: 'x', digest: 'sha256:0', argv: ['/bin/sh', '-c', 'echo $HOME'] },
  environment: { MSG: 'secret' },
  privileged: false,
  mounts: [{ hostPath: '/data', containerPath: '/data', mode: 'ro' }],
  limits: {
    graceMs: 1_000,
    logBytes: 10,
    resultBytes: 20,
    resultTotalBytes: 10_000_000,
    resultCount: 1_000,
    timeMs: 5_000,
  },
  notAfter: new Date(7_000),
};
const paths = { sif: '/i/x.sif', runDir: '/w/run/e1-1', ledgerEntry: '/w/ledger/e1-1/entry', nativeDir: '/i/native' };

describe('the line that starts a program in Apptainer', () => {
  it('shows it nothing of the host but what is bound', () => {
    const { before } = planApptainer(spec, paths);
    expect(before).toEqual(expect.arrayContaining(['--cleanenv', '--containall', '--no-home']));
    expect(before.filter((_, index) => before[index - 1] === '--mount')).toEqual([
      'type=bind,source=/w/run/e1-1,destination=/_abaco/run',
      'type=bind,source=/w/ledger/e1-1/entry,destination=/_abaco/ledger',
      'type=bind,source=/i/native,destination=/_abaco/bin,ro',
      'type=bind,source=/data,destination=/data,ro',
    ]);
  });

  it('has our helper first and the program last, and nothing of its environment', () => {
    const { before, after } = planApptainer(spec, paths);
    const helper = before.slice(before.indexOf('/i/x.sif') + 1);
    expect(helper.join(' ')).toBe(
      '/_abaco/bin/abaco-start start --ledger /_abaco/ledger --run /_abaco/run --not-after 7 --time-limit 5000 ' +
        '--grace 1000 --log-limit 10 --result-limit 20 --result-total 10000000 --result-count 1000 --label',
    );
    expect(after).toEqual(['--', '/bin/sh', '-c', 'echo $HOME']);
    expect([...before, ...after].join(' ')).not.toContain('secret');
  });

  it('binds a binary message where programs look for it', () => {
    const open = async function* () {
      yield new Uint8Array();
    };
    const { before } = planApptainer({ ...spec, binaryMessage: { bytes: 0, open } }, paths);
    expect(before).toContain('type=bind,source=/w/run/e1-1/binary,destination=/_abaco_binary_data,ro');
  });

  it.each([
    ['/a,b', 'type=bind,"source=/a,b",destination=/x'],
    ['/a"b', 'type=bind,"source=/a""b",destination=/x'],
    ['/a:b c', 'type=bind,source=/a:b c,destination=/x'],
    ['/a\nb', 'type=bind,"source=/a\nb",destination=/x'],
  ])('can name the path %j', (hostPath, mount) => {
    expect(renderMount({ hostPath, containerPath: '/x', mode: 'rw' })).toBe(mount);
  });

  it.each([
    [{ hostPath: '/a\r\nb' }, 'a carriage return'],
    [{ containerPath: '/a\rb' }, 'a carriage return'],
    [{ nfs: { server: 'files', options: '' } }, 'nothing from a file server'],
  ])('is refused where Apptainer would take something else for it: %j', (changes, reason) => {
    const mount = { hostPath: '/a', containerPath: '/x', mode: 'rw' as const, ...changes };
    expect(() => renderMount(mount)).toThrow(reason);
  });
});
