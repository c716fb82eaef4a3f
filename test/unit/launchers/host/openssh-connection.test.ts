/** What becomes of an `ssh` that never says that its program has begun. */

import { expect, it } from 'vitest';
import type { Host } from '../../../../launchers/host/host.ts';
import { createOpensshConnector } from '../../../../launchers/host/openssh-connection.ts';
import type { OpensshLogin } from '../../../../launchers/host/openssh-login.ts';
import { createPlainSshHost } from '../../../../launchers/host/plain-ssh-host.ts';

const signal = new AbortController().signal;

async function connect(openMs: number, onBegin: () => void = () => undefined): Promise<Host> {
  const login = {
    name: 'abaco@login',
    host: 'login',
    user: 'abaco',
    directory: '/',
    check: async () => 1,
    through: () => {
      onBegin();
      return ['sleep', '60'] as const;
    },
  } as Partial<OpensshLogin> as OpensshLogin;
  const connector = createOpensshConnector(login, { channels: 2, openMs });
  return createPlainSshHost(await connector.connect(signal), []);
}

const submit = async (host: Host): Promise<unknown> =>
  await host.run({ argv: ['sbatch', 'job.sh'], parse: () => undefined }, signal);

it('is given up, and its outcome is not known', async () => {
  const host = await connect(50);
  await expect(submit(host)).rejects.toMatchObject({ name: 'UnknownOutcomeError', code: 'host.unknown_outcome' });
  await expect(host.list('/a')).rejects.toMatchObject({ code: 'host.unavailable', retryable: true });
});

it('is given up with the connection', async () => {
  const { promise: begun, resolve } = Promise.withResolvers<void>();
  const host = await connect(60_000, resolve);
  const submitted = submit(host);
  await begun;
  await host.close();
  await expect(submitted).rejects.toMatchObject({ code: 'host.unknown_outcome' });
});
