import { describe, expect, it } from 'vitest';
import { camelName, errorEnvelope, renderOptionalTime, renderTime, spell } from '../../../src/api/wire.ts';

describe('camelName', () => {
  it.each([
    ['max_workers', 'maxWorkers'],
    ['use_container_uid', 'useContainerUid'],
    ['io', 'io'],
    ['actor_dbid', 'actorDbid'],
    ['_links', '_links'],
    ['final_state', 'finalState'],
    ['cron_next_ex', 'cronNextEx'],
  ])('writes %s as %s', (snake, camel) => {
    expect(camelName(snake)).toBe(camel);
  });
});

describe('spell', () => {
  const attributes = { max_cpus: 1, mem_limit: null, final_state: { Exit_Code: null }, _links: { self: 'x' } };

  it('leaves snake form as it is, nulls included', () => {
    expect(spell(attributes, 'snake')).toBe(attributes);
  });

  it('changes names at the top alone for camel form, and leaves nulls out there', () => {
    const expected = { maxCpus: 1, finalState: { Exit_Code: null }, _links: { self: 'x' } };
    expect(spell(attributes, 'camel')).toEqual(expected);
  });
});

describe('times', () => {
  it('have three digits of milliseconds and a Z, also on whole seconds', () => {
    expect(renderTime(new Date('2026-05-01T14:45:41Z'))).toBe('2026-05-01T14:45:41.000Z');
    expect(renderOptionalTime(new Date('2026-05-01T14:45:41.3Z'))).toBe('2026-05-01T14:45:41.300Z');
    expect(renderOptionalTime(undefined)).toBeNull();
  });
});

describe('errorEnvelope', () => {
  it('has the four keys of the contract', () => {
    expect(errorEnvelope('why', 'tag')).toEqual({ message: 'why', result: null, status: 'error', version: 'tag' });
  });
});
