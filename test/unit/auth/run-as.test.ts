import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createIdentities } from '../../../src/auth/identities.ts';
import { planMounts } from '../../../src/auth/plan-mounts.ts';
import { createRunAsPlanner, type RunAsRequest } from '../../../src/auth/run-as.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { Config } from '../../../src/config/schema.ts';
import { InvalidError } from '../../../src/errors.ts';
import type { Launcher, LauncherCapabilities } from '../../../src/launcher/launcher.ts';
import { createLauncherTable } from '../../../src/launcher/launcher-table.ts';
import { systemClock } from '../../../src/lib/clock.ts';

const { config } = loadConfig({ env: { ABACO_SERVICE_DATA_DIR: '/data' } });
const asked: RunAsRequest = { tenant: 'LAB', owner: 'jane', privileged: false, launcher: 'local' };

type Mounts = Config['mounts'];
type MountRule = Mounts[string];

const usual: MountRule = {
  container: '/x',
  mode: 'ro',
  path: '',
  paths: {},
  nfsOptions: 'nfsvers=4.2',
  tenants: [],
  privileged: false,
};
const mountsOf = (rules: Readonly<Record<string, Partial<MountRule>>>): Mounts =>
  Object.fromEntries(Object.entries(rules).map(([name, rule]) => [name, { ...usual, ...rule }]));

const tenant: Config['tenants'][string] = {
  mode: 'jwt',
  publicKey: '',
  publicKeyFile: '',
  developmentKey: '',
  developmentKeyFile: '',
  apiServer: '',
  case: 'service',
  defaultRoles: '',
  defaultToken: 'false',
  logKeepMs: null,
  logKeepLimitMs: null,
  maxMessageBytes: null,
  actorUid: null,
  actorGid: null,
  actorHome: '',
  work: '',
  users: {},
  imagesAllow: [],
  imagesDeny: [],
  registries: {},
};
const jane = { uid: 10_001, gid: 20_000, groups: [20_001], home: '/home/jane', work: '', disabled: false };

const plan = async (changes: Partial<Config>, request: Partial<RunAsRequest> = {}) => {
  const changed = { ...config, ...changes };
  const identities = createIdentities(changed, systemClock);
  const launchers = createLauncherTable([]);
  return await createRunAsPlanner({ config: changed, identities, launchers }).of({ ...asked, ...request });
};

describe('who programs run as', () => {
  const identity = { ...config.identity, actorUid: 5_000, actorGid: 6_000, actorHome: '/home/shared' };

  it('is the user of the image where nobody says anything', async () => {
    expect(await plan({})).toEqual({ uid: null, gid: null, groups: [], tasdir: null, mounts: [] });
  });

  it('is the user of the site, before that the one of the tenant, before that the own line of the owner', async () => {
    expect(await plan({ identity })).toMatchObject({ uid: '5000', gid: '6000', groups: [], tasdir: '/home/shared' });
    const shared = { LAB: { ...tenant, actorUid: 7_000, actorGid: 8_000 } };
    expect(await plan({ identity, tenants: shared })).toMatchObject({ uid: '7000', gid: '8000', tasdir: null });
    expect(await plan({ identity, tenants: shared }, { tenant: 'OTHER' })).toMatchObject({ uid: '5000' });
    const named = { LAB: { ...tenant, actorUid: 7_000, actorGid: 8_000, users: { jane } } };
    const own = { uid: '10001', gid: '20000', groups: [20_001], tasdir: '/home/jane' };
    expect(await plan({ identity, tenants: named })).toMatchObject(own);
    expect(await plan({ identity, tenants: named }, { owner: 'john' })).toMatchObject({ uid: '7000' });
  });

  it('has to be somebody where programs run as their owner', async () => {
    const on = async (asOwner: boolean, changes: Partial<Config> = {}) => {
      const launcher = { name: 'local', capabilities: { asOwner } as LauncherCapabilities } as Launcher;
      const launchers = createLauncherTable([{ name: 'local', place: 'local', launcher }]);
      const changed = { ...config, ...changes };
      const identities = createIdentities(changed, systemClock);
      return await createRunAsPlanner({ config: changed, identities, launchers }).of(asked);
    };
    await expect(on(true)).rejects.toMatchObject({
      name: 'ForbiddenError',
      code: 'identity.unknown',
      message: expect.stringMatching(
        /^User "jane" runs nothing here: launcher "local" runs .* nobody says who that is;/,
      ),
    });
    expect(await on(false)).toMatchObject({ uid: null });
    expect(await on(true, { tenants: { LAB: { ...tenant, users: { jane } } } })).toMatchObject({ uid: '10001' });
  });

  it('is nobody of another tenant', async () => {
    const tenants = { LAB: { ...tenant, users: { jane } }, OTHER: { ...tenant, users: { john: jane } } };
    await expect(plan({ tenants }, { tenant: 'OTHER' })).rejects.toMatchObject({ code: 'identity.unknown' });
  });

  it('is never what objects have from birth', async () => {
    const tenants = { LAB: { ...tenant, users: { jane } } };
    for (const owner of ['constructor', '__proto__', 'toString']) {
      await expect(plan({ tenants }, { owner })).rejects.toMatchObject({ code: 'identity.unknown' });
    }
  });

  it('is asked of the directory only for tenants it is for', async () => {
    const directory = { ...config.directory, url: 'ldap://127.0.0.1:1', tenants: ['LAB'] };
    await expect(plan({ directory })).rejects.toMatchObject({ code: 'identity.unavailable' });
    expect(await plan({ directory }, { tenant: 'OTHER' })).toMatchObject({ uid: null });
    expect(await plan({ directory, identity }, { owner: 'anonymous' })).toMatchObject({ uid: '5000' });
    // What the configuration says itself needs no directory.
    expect(await plan({ directory, tenants: { LAB: { ...tenant, users: { jane } } } })).toMatchObject({ uid: '10001' });
  });

  it('is neither root nor disabled, whoever says so', async () => {
    const withUser = (changes: Partial<typeof jane>) => ({
      LAB: { ...tenant, users: { jane: { ...jane, ...changes } } },
    });
    await expect(plan({ tenants: withUser({ uid: 0 }) })).rejects.toMatchObject({ code: 'identity.system' });
    await expect(plan({ tenants: withUser({ disabled: true }) })).rejects.toMatchObject({ code: 'identity.disabled' });
    const root = { ...identity, actorUid: 0 };
    await expect(plan({ identity: root })).rejects.toMatchObject({ code: 'identity.system' });
    await expect(plan({ identity: root }, { owner: 'anonymous' })).rejects.toMatchObject({ code: 'identity.system' });
  });
});

describe('the directories programs see', () => {
  it('are those of the launcher, with the owner filled in', async () => {
    const mounts = mountsOf({
      home: { container: '/home/{username}', path: '/home/{tenant_id}/{username}', mode: 'rw' },
      lustre: { container: '/work', paths: { hpc: '/lustre/{username}' } },
      data: { container: '/data', path: '/data', paths: { hpc: '/lustre/data' } },
    });
    expect((await plan({ mounts })).mounts).toEqual([
      { hostPath: '/data', containerPath: '/data', mode: 'ro' },
      { hostPath: '/home/LAB/jane', containerPath: '/home/jane', mode: 'rw' },
    ]);
    expect((await plan({ mounts }, { launcher: 'hpc' })).mounts.map(({ hostPath }) => hostPath)).toEqual([
      '/lustre/data',
      '/home/LAB/jane',
      '/lustre/jane',
    ]);
  });

  it('are those of the tenant, and of privileged actors only where they are for these', async () => {
    const mounts = mountsOf({
      lab: { container: '/lab', path: '/lab', tenants: ['LAB'] },
      engine: { container: '/engine', path: '/engine', privileged: true },
    });
    const places = async (request: Partial<RunAsRequest>) =>
      (await plan({ mounts }, request)).mounts.map(({ containerPath }) => containerPath);
    expect(await places({})).toEqual(['/lab']);
    expect(await places({ privileged: true })).toEqual(['/engine', '/lab']);
    expect(await places({ tenant: 'OTHER' })).toEqual([]);
  });

  it('include home and work of the owner where they are known, and are left out where not', async () => {
    const mounts = mountsOf({
      home: { container: '{home}', path: '{home}', mode: 'rw' },
      work: { container: '/work', path: '{work}/runs' },
      corral: { container: '/corral', path: '/corral/{tasdir}' },
    });
    const identity = { ...config.identity, work: '/work/{tenant}{home}' };
    const tenants = { LAB: { ...tenant, users: { jane } } };
    expect((await plan({ mounts, identity, tenants })).mounts).toEqual([
      { hostPath: '/corral/home/jane', containerPath: '/corral', mode: 'ro' },
      { hostPath: '/home/jane', containerPath: '/home/jane', mode: 'rw' },
      { hostPath: '/work/LAB/home/jane/runs', containerPath: '/work', mode: 'ro' },
    ]);
    expect((await plan({ mounts, identity })).mounts).toEqual([]);
    const own = { LAB: { ...tenant, work: '/w/{username}', users: { jane: { ...jane, home: '' } } } };
    expect((await plan({ mounts, identity, tenants: own })).mounts).toEqual([
      { hostPath: '/w/jane/runs', containerPath: '/work', mode: 'ro' },
    ]);
    const said = { LAB: { ...tenant, users: { jane: { ...jane, work: '/said' } } } };
    expect((await plan({ mounts, identity, tenants: said })).mounts.at(-1)?.hostPath).toBe('/said/runs');
  });

  it('come from a file server where the path names one', async () => {
    const mounts = mountsOf({ work: { container: '/work', path: 'nfs://files.example.org/export/{username}' } });
    expect((await plan({ mounts })).mounts).toEqual([
      {
        hostPath: '/export/jane',
        containerPath: '/work',
        mode: 'ro',
        nfs: { server: 'files.example.org', options: 'nfsvers=4.2' },
      },
    ]);
  });

  it('are refused on a launcher that mounts nothing from file servers', async () => {
    const mounts = mountsOf({ work: { container: '/work', path: 'nfs://files/export' } });
    const on = async (nfsMounts: boolean) => {
      const capabilities = { nfsMounts } as LauncherCapabilities;
      const launcher = { name: 'local', capabilities } as Launcher;
      const launchers = createLauncherTable([{ name: 'local', place: 'local', launcher }]);
      const identities = createIdentities(config, systemClock);
      return await createRunAsPlanner({ config: { ...config, mounts }, identities, launchers }).of(asked);
    };
    await expect(on(false)).rejects.toMatchObject({ code: 'mount.invalid' });
    expect((await on(true)).mounts).toHaveLength(1);
  });

  it('come in the order in which they can be made', async () => {
    const mounts = mountsOf({
      inner: { container: '/a/b', path: '/inner' },
      beside: { container: '/a-b', path: '/beside' },
      outer: { container: '/a', path: '/outer' },
    });
    const places = (await plan({ mounts })).mounts.map(({ containerPath }) => containerPath);
    expect(places.indexOf('/a')).toBeLessThan(places.indexOf('/a/b'));
  });

  it.each(['..', '.', '', 'a/b', '/', '../root', 'x\0y'])('are refused for a user named %j', async (owner) => {
    const mounts = mountsOf({ home: { path: '/home/{username}' } });
    await expect(plan({ mounts }, { owner })).rejects.toMatchObject({
      code: 'mount.invalid',
      message: expect.stringContaining(`for user ${JSON.stringify(owner)}: its path "/home/{username}"`),
    });
  });

  it.each([
    ['/'],
    ['relative'],
    ['/home/../etc'],
    ['/home//jane'],
    ['/_abaco/run'],
    ['/_abaco_results.sock'],
    ['/proc/self'],
  ])('are refused for a home that is %s', async (home) => {
    const mounts = mountsOf({ home: { container: '{home}', path: '/srv{home}' } });
    const tenants = { LAB: { ...tenant, users: { jane: { ...jane, home } } } };
    await expect(plan({ mounts, tenants })).rejects.toMatchObject({ code: 'mount.invalid' });
  });

  it('are refused where two meet at one place', async () => {
    const mounts = mountsOf({
      home: { container: '{home}', path: '/a' },
      jane: { container: '/home/jane', path: '/b' },
    });
    const tenants = { LAB: { ...tenant, users: { jane } } };
    await expect(plan({ mounts, tenants })).rejects.toThrow('another is at "/home/jane" already');
  });

  it('stay below their directory, whoever the owner is', () => {
    const parts = fc.array(fc.constantFrom('/', '.', '..', '\0', 'a', '{home}', '\n', ' '), { maxLength: 6 });
    const name = fc.oneof(
      parts.map((all) => all.join('')),
      fc.string(),
    );
    const mounts = mountsOf({ home: { container: '/home/{username}', path: '/srv/{tenant}/{username}' } });
    fc.assert(
      fc.property(name, (owner) => {
        const path = pathOrRefusal(mounts, owner);
        if (path === undefined) return;
        expect(path).toBe(`/srv/LAB/${owner}`);
        expect(path.split('/')).toHaveLength(4);
        expect(['.', '..', '']).not.toContain(owner);
      }),
    );
  });
});

function pathOrRefusal(mounts: Mounts, owner: string): string | undefined {
  try {
    return planMounts(mounts, { ...asked, owner, home: '', work: '' })[0]?.hostPath;
  } catch (thrown) {
    if (thrown instanceof InvalidError) return undefined;
    throw thrown;
  }
}
