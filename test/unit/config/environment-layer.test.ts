import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readEnvironmentLayer, variableSettings } from '../../../src/config/environment-layer.ts';
import { configNode } from '../../../src/config/schema.ts';
import { makeTestDirectory } from '../../support/test-directory.ts';

function read(env: Record<string, string>, directory = '/') {
  const { layer, problems } = readEnvironmentLayer({ node: configNode, env, directory });
  return { tree: layer.tree, layer, problems: problems.map(({ where, message }) => `${where}: ${message}`) };
}

describe('readEnvironmentLayer', () => {
  it('gives every scalar setting at a fixed place a variable, none of which is the file variant of another', () => {
    const names = [...variableSettings(configNode).keys()];
    expect(names).toContain('ABACO_REDIS_URL');
    expect(names).toContain('ABACO_WORKERS_PER_ACTOR');
    expect(names.filter((name) => names.includes(`${name}_FILE`))).toEqual([]);
    expect(names.filter((name) => /LAUNCHERS|QUEUES|REGISTRIES|MOUNTS/.test(name))).toEqual([]);
  });

  it('reads text as the type of its setting', () => {
    const { tree, problems } = read({
      ABACO_SERVICE_PORT: '80',
      ABACO_SERVICE_TAG: '80',
      ABACO_SERVICE_DRAIN: '1500',
      ABACO_REDIS_URL: '',
      ABACO_LIMITS_MEMORY: 'none',
    });
    expect(problems).toEqual([]);
    expect(tree).toEqual({
      service: { port: 80, tag: '80', drain: 1500 },
      redis: { url: '' },
      limits: { memory: 'none' },
    });
  });

  it('reads a value from a file and cuts one line end', async () => {
    await using directory = await makeTestDirectory('environment');
    writeFileSync(join(directory.path, 'url'), 'redis://:pass word\n@h\n\n');
    const { tree, layer } = read({ ABACO_REDIS_URL_FILE: 'url' }, directory.path);
    expect(tree).toEqual({ redis: { url: 'redis://:pass word\n@h\n' } });
    expect(layer.where(['redis', 'url'])).toBe('environment ABACO_REDIS_URL_FILE');
  });

  it('leaves alone what is not ours and what others of ours read', () => {
    const others = ['ABACO_CONFIG', 'ABACO_URL', 'ABACO_TOKEN', 'ABACO_TEST_MONGO_URL', 'ABACO_RESULTS_SOCKET', 'PATH'];
    const { tree, problems } = read(Object.fromEntries(others.map((name) => [name, 'x'])));
    expect({ tree, problems }).toEqual({ tree: {}, problems: [] });
  });

  it('refuses what is not known, given twice, or names no file', () => {
    const { problems } = read({
      ABACO_SERVICE_PROT: '80',
      ABACO_REDIS_URL: 'redis://a',
      ABACO_REDIS_URL_FILE: '/nowhere',
      ABACO_HISTORY_URL_FILE: '/nowhere',
      ABACO_SERVICE_TAG_FILE: '/nowhere',
    });
    expect(problems).toEqual([
      'environment ABACO_SERVICE_PROT: Variable "ABACO_SERVICE_PROT" is not known; the nearest known one is "ABACO_SERVICE_PORT"',
      'environment ABACO_REDIS_URL_FILE: Variables "ABACO_REDIS_URL" and "ABACO_REDIS_URL_FILE" give the same setting; keep one',
      'environment ABACO_HISTORY_URL_FILE: Variable "ABACO_HISTORY_URL_FILE" names a file that cannot be read: ENOENT',
      'environment ABACO_SERVICE_TAG_FILE: Variable "ABACO_SERVICE_TAG_FILE" names file "/nowhere" that cannot be read: ENOENT',
    ]);
  });
});
