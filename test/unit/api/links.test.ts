import { describe, expect, it } from 'vitest';
import { createLinks } from '../../../src/api/links.ts';

describe('createLinks', () => {
  it('always names /actors/v2 and escapes user names', () => {
    const links = createLinks(() => 'https://api.example.org');
    expect(links.apiServer).toBe('https://api.example.org');
    expect(links.logs('A', 'E')).toBe('https://api.example.org/actors/v2/A/executions/E/logs');
    expect(links.messages('A')).toBe('https://api.example.org/actors/v2/A/messages');
    expect(links.profile('a/b c')).toBe('https://api.example.org/profiles/v2/a%2Fb%20c');
  });

  it('reads its base anew each time', () => {
    let base = '';
    const links = createLinks(() => base);
    base = 'http://127.0.0.1:5';
    expect(links.actor('A')).toBe('http://127.0.0.1:5/actors/v2/A');
  });
});
