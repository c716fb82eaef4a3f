import { describe, expect, it } from 'vitest';
import { createForeignCheck } from '../../../src/auth/foreign-request.ts';

const check = createForeignCheck(['https://abaco.example.edu', '', 'http://api:8000/base']);

describe('where no token is asked for', () => {
  it.each([
    [{}],
    [{ host: 'localhost' }],
    [{ host: 'LOCALHOST:8000', origin: 'http://localhost:3000' }],
    [{ host: '127.0.0.1:8000', origin: 'http://127.8.9.10' }],
    [{ host: '[::1]:8000', origin: 'https://[::1]:8443' }],
    [{ host: 'abaco.example.edu', origin: 'https://abaco.example.edu' }],
    [{ host: 'Abaco.Example.EDU:443' }],
    [{ host: 'api:8000', origin: 'http://api:8000' }],
  ])('a request of this machine is let in: %j', (headers) => {
    expect(check(headers)).toBeUndefined();
  });

  it.each([
    [{ origin: 'https://evil.example' }, 'Origin "https://evil.example"'],
    // Files, sandboxed frames and redirections hide theirs, and anybody has those.
    [{ origin: 'null' }, 'Origin "null"'],
    [{ origin: '' }, 'Origin ""'],
    [{ origin: 'http://localhost.evil.example' }, 'Origin'],
    [{ origin: 'http://127.0.0.1.evil.example' }, 'Origin'],
    [{ origin: 'http://127.0.0.1@evil.example' }, 'Origin'],
    [{ origin: 'http://[::2]' }, 'Origin'],
    [{ origin: 'http://172.17.0.1:8000' }, 'Origin'],
    // Another port, or another scheme, is another server's page.
    [{ origin: 'https://abaco.example.edu:8443' }, 'Origin'],
    [{ origin: 'http://abaco.example.edu' }, 'Origin'],
    [{ host: 'rebound.evil.example:8000' }, 'Host "rebound.evil.example:8000"'],
    [{ host: 'abaco.example.edu.evil.example' }, 'Host'],
    [{ host: '192.0.2.1' }, 'Host'],
    [{ host: '0.0.0.0' }, 'Host'],
    [{ host: '' }, 'Host'],
    [{ host: 'a b' }, 'Host'],
    [{ host: 'localhost', origin: 'https://evil.example' }, 'Origin'],
    [{ host: 'evil.example', origin: 'http://localhost' }, 'Host'],
  ])('a request that a page can have made is refused: %j', (headers, what) => {
    const refusal = check({ host: 'localhost', ...headers });
    expect(refusal).toMatchObject({ code: 'request.foreign' });
    expect(refusal?.message).toContain(`Request with ${what}`);
    expect(refusal?.message).toMatch(/\[tenants\.NAME\].*service\.public_url/);
  });
});
