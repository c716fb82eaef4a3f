import { expect, it } from 'vitest';
import { planContainerUrl } from '../../../src/workers/container-url.ts';

const none = { containerUrl: '', tenant: undefined, ours: undefined, publicUrl: 'https://public' };

it('is what the operator says of containers, else the tenant, else where we listen for them, else the public one', () => {
  expect(planContainerUrl(none)).toBe('https://public');
  expect(planContainerUrl({ ...none, ours: 'http://172.17.0.1:8000' })).toBe('http://172.17.0.1:8000');
  const tenant = { ...none, ours: 'http://172.17.0.1:8000', tenant: 'https://tenant' };
  expect(planContainerUrl(tenant)).toBe('https://tenant');
  expect(planContainerUrl({ ...tenant, containerUrl: 'http://api:8000' })).toBe('http://api:8000');
});
