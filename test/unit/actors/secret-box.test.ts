import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createSecretBox, standInFor } from '../../../src/actors/secret-box.ts';

const [old, current] = [randomBytes(32), randomBytes(32)];
const unreadable = expect.objectContaining({ code: 'secret.unreadable' }) as Error;

describe('a secret at rest', () => {
  it('opens with the key of before after a rotation, and not without it', () => {
    const sealed = createSecretBox([old]).seal('T', 'name', 'text');
    expect(createSecretBox([current, old]).open('T', 'name', sealed)).toBe('text');
    expect(() => createSecretBox([current]).open('T', 'name', sealed)).toThrow(unreadable);
  });

  it('opens under no other name, and in no other tenant', () => {
    const box = createSecretBox([current]);
    const sealed = box.seal('T', 'name', 'text');
    expect(() => box.open('T', 'other', sealed)).toThrow(unreadable);
    expect(() => box.open('U', 'name', sealed)).toThrow(unreadable);
    expect(() => box.open('T', 'name', 'anything')).toThrow(unreadable);
  });

  it('is refused without a key, in words that name the setting and not the secret', () => {
    expect(() => createSecretBox([]).seal('T', 'name', 'hidden-text')).toThrow(/^(?!.*hidden-text).*secrets\.key_file/);
  });

  it('is shown as something that tells nothing of it', () => {
    const box = createSecretBox([current]);
    const [one, other] = [box.seal('T', 'name', 'text'), box.seal('T', 'name', 'text')].map(standInFor);
    expect(one).toMatch(/^abaco-secret:[0-9a-f]{32}$/);
    expect(one).not.toBe(other);
  });
});
