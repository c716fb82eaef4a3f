import { describe, expect, it } from 'vitest';
import { rewritePath } from '../../../src/api/rewrite-path.ts';

describe('rewritePath', () => {
  it.each([
    ['/actors/v2', '/actors'],
    ['/actors/v2/ID/messages?a=//b', '/actors/ID/messages?a=//b'],
    ['//actors///v2//ID', '/actors/ID'],
    ['//actors', '/actors'],
    ['/actors/v2x', '/actors/v2x'],
    ['/actors/v2?limit=1', '/actors?limit=1'],
    ['/health/live', '/health/live'],
    ['/docs/actors/v2', '/docs/actors/v2'],
    ['*', '*'],
    ['http://other/actors', 'http://other/actors'],
  ])('makes %s %s', (path, expected) => {
    expect(rewritePath(path)).toBe(expected);
  });
});
