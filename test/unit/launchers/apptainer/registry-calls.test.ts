import { describe, expect, it } from 'vitest';
import { isOfRegistry, reachOf } from '../../../../launchers/apptainer/registry-calls.ts';

describe('a registry leads', () => {
  const access = { username: '', password: '', insecure: false };
  const plain = { ...access, insecure: true };

  it.each([
    ['https://registry.example.org/v2/', undefined, 'public'],
    ['http://registry.example.org/v2/', undefined, 'nowhere'],
    ['file:///etc/passwd', plain, 'nowhere'],
    ['https://registry.example.org/v2/', access, 'anywhere'],
    ['https://gitlab.example.org/jwt/auth', access, 'anywhere'],
    ['https://cdn.example.com/manifest', access, 'public'],
    ['http://registry.example.org/v2/', access, 'nowhere'],
    ['http://registry.example.org:5001/auth', plain, 'anywhere'],
    ['http://cdn.example.com/manifest', plain, 'nowhere'],
  ])('to %s, by %j: %s', (url, named, reach) => {
    expect(reachOf(new URL(url), { registry: 'registry.example.org', access: named })).toBe(reach);
  });

  it.each([
    ['https://auth.docker.io/token', 'docker.io', true],
    ['https://registry-1.docker.io/v2/', 'docker.io', true],
    ['https://quay.io/v2/auth', 'quay.io', true],
    ['https://evil.io/token', 'quay.io', false],
    ['https://evildocker.io/token', 'docker.io', false],
    ['https://gitlab.example.co.uk/jwt', 'registry.example.co.uk:5050', true],
    ['https://evil.co.uk/jwt', 'registry.example.co.uk:5050', false],
    ['https://10.0.0.5/token', '10.0.0.5:5000', true],
    ['https://10.9.0.5/token', '10.0.0.5:5000', false],
    ['https://[::1]/token', '[::1]:5000', true],
    ['https://evil.localhost/token', 'localhost:5000', false],
  ])('to %s, of %s: %s', (url, registry, is) => expect(isOfRegistry(new URL(url), registry)).toBe(is));
});
