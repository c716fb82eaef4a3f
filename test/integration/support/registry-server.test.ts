import { describe, expect, it } from 'vitest';
import { baseImage, connectDocker, dockerAvailable } from '../../support/docker.ts';
import { programAvailable } from '../../support/program.ts';
import { registryAccount, startRegistry } from '../../support/registry-server.ts';
import { requireService } from '../../support/services.ts';

const registryThere = requireService('registry', await programAvailable('docker-registry'));
const engineThere = requireService('docker', await dockerAvailable());

describe.runIf(registryThere)('the registry of a test', () => {
  it('refuses who does not name its account', async () => {
    await using registry = await startRegistry({ auth: true });
    const { username, password } = registryAccount;
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    const ask = async (headers: Record<string, string>) => {
      const { status } = await fetch(`http://${registry.address}/v2/_catalog`, { headers });
      return status;
    };
    expect(await ask({})).toBe(401);
    expect(await ask({ authorization: authorization.toLowerCase() })).toBe(401);
    expect(await ask({ authorization })).toBe(200);
  });

  it.runIf(engineThere)('takes an image from the engine and keeps it over a restart', async () => {
    await using registry = await startRegistry();
    const docker = connectDocker();
    const repo = `${registry.address}/base`;
    await docker.getImage(baseImage).tag({ repo, tag: '1' });
    const image = docker.getImage(`${repo}:1`);
    try {
      const progress = await image.push({ authconfig: registryAccount });
      await new Promise((resolve, reject) => {
        docker.modem.followProgress(progress, (error, events) => (error ? reject(error) : resolve(events)));
      });
      await registry.stop();
      await registry.start();
      const answer = await fetch(`http://${registry.address}/v2/base/tags/list`);
      expect(await answer.json()).toEqual({ name: 'base', tags: ['1'] });
    } finally {
      await image.remove();
    }
  });
});
