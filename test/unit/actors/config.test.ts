import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bytesOfConfig,
  configNameProblem,
  configValueProblem,
  readActorNames,
  renderConfigs,
} from '../../../src/actors/config.ts';

describe('a config', () => {
  it.each(['settings', 'a-b_c.v2', 'Ünïcode', '7', 'search'])('may be called %s', (name) => {
    expect(configNameProblem(name)).toBeUndefined();
  });

  it.each(['executions', 'adapters', 'utilization', 'a b', 'a/b', 'a,b', 'a\0b', '', '.', '..', 'x'.repeat(256)])(
    'may not be called %j',
    (name) => {
      expect(configNameProblem(name)).toMatch(/^Name cannot /);
    },
  );

  it('fits into the one variable, and its refusal says nothing of it', () => {
    const most = 131_071 - "_actor_configs={'n': ''}".length - 2;
    expect(configValueProblem({ name: 'n', value: 'x'.repeat(most) })).toBeUndefined();
    const problem = configValueProblem({ name: 'n', value: 'secret'.repeat(30_000) });
    expect(problem).toMatch(/at most/);
    expect(problem).not.toContain('secret');
    expect(configValueProblem({ name: 'n', value: 'a\0' })).toMatch(/NUL/);
  });

  it('takes no more of the variable than it is said to', () => {
    const one = fc.record({ name: fc.stringMatching(/^[a-z0-9]{1,9}$/), value: fc.string() });
    fc.assert(
      fc.property(fc.array(one), (configs) => {
        const said = configs.reduce((sum, config) => sum + bytesOfConfig(config), 0);
        for (const form of ['python', 'json'] as const) {
          expect(Buffer.byteLength(renderConfigs(configs, form))).toBeLessThanOrEqual(said + '{}'.length);
        }
      }),
    );
  });
});

describe('the configs of an actor', () => {
  it('are a mapping in the words of Python, in their order, numbers too', () => {
    const configs = [
      { name: 'b', value: '{"a": 1}' },
      { name: '7', value: "it's" },
    ];
    expect(renderConfigs(configs, 'python')).toBe(`{'b': '{"a": 1}', '7': "it's"}`);
    expect(renderConfigs([], 'python')).toBe('{}');
  });

  it('are JSON where compat.value_text = "json"', () => {
    const configs = [
      { name: 'b', value: '{"a": 1}' },
      { name: '7', value: "it's" },
    ];
    expect(renderConfigs(configs, 'json')).toBe(String.raw`{"b":"{\"a\": 1}","7":"it's"}`);
    expect(renderConfigs([], 'json')).toBe('{}');
  });
});

describe('the actors of a config', () => {
  it('are one string, separated by commas, each once', () => {
    expect(readActorNames('a, b,,a ,c')).toEqual(['a', 'b', 'c']);
    expect(readActorNames(' , ')).toEqual([]);
  });
});
