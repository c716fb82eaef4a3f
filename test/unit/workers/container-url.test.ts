import { describe, expect, it } from 'vitest';
import { type ContainerUrls, mayReach, planContainerUrl } from '../../../src/workers/container-url.ts';

const bridge = '172.17.0.1';
const listening = { url: 'http://127.0.0.1:4711', port: 4711 };
const defaults: ContainerUrls = {
  containerUrl: '',
  tenant: undefined,
  publicUrl: 'http://127.0.0.1:8000',
  host: '127.0.0.1',
  port: 8000,
  ours: undefined,
  bridge,
  elsewhere: false,
};

describe('planContainerUrl', () => {
  it('is what the operator says of containers, else what the tenant has', () => {
    const tenant = { ...defaults, ours: listening, tenant: 'https://tenant' };
    expect(planContainerUrl(tenant)).toBe('https://tenant');
    expect(planContainerUrl({ ...tenant, containerUrl: 'http://api:8000' })).toBe('http://api:8000');
  });

  it.each<[string, Partial<ContainerUrls>, string]>([
    ['one for other hosts', { ours: listening, elsewhere: true, publicUrl: 'https://public' }, 'https://public'],
    ['one for other hosts that has no other', { ours: listening, elsewhere: true }, 'http://172.17.0.1:4711'],
    ['the API of this process, on loopback', { ours: listening }, 'http://172.17.0.1:4711'],
    ['that, behind a proxy', { ours: listening, publicUrl: 'https://public' }, 'http://172.17.0.1:4711'],
    ['that, before the engine has a bridge', { ours: listening, publicUrl: '', bridge: undefined }, listening.url],
    ['the API beside this process', {}, 'http://172.17.0.1:8000'],
    ['that, by name', { publicUrl: 'http://localhost:8000' }, 'http://172.17.0.1:8000'],
    ['that, in IPv6', { publicUrl: 'http://[::1]:8000' }, 'http://172.17.0.1:8000'],
    ['that, without an engine', { bridge: undefined }, 'http://127.0.0.1:8000'],
    ['one that may be on another host', { publicUrl: 'https://public' }, 'https://public'],
    ['one on every address', { host: '0.0.0.0', publicUrl: 'http://host:80', ours: listening }, 'http://host:80'],
    ['that, on a free port', { host: '0.0.0.0', publicUrl: '', ours: listening }, 'http://172.17.0.1:4711'],
    ['one on a free port that only its process knows', { publicUrl: '', port: 0 }, ''],
  ])('of %s', (_which, given, url) => {
    expect(planContainerUrl({ ...defaults, ...given })).toBe(url);
  });
});

it.each([
  ['http://172.17.0.1:8000', true],
  ['https://abaco.example.org', true],
  ['http://127.0.0.1:8000', false],
  ['http://[::1]:8000', false],
  ['', false],
])('mayReach(%j) is %s', (url, answer) => {
  expect(mayReach(url)).toBe(answer);
});
