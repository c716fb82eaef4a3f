import { readFileSync } from 'node:fs';
import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { readSettings } from '../../../src/config/read-settings.ts';
import { configNode } from '../../../src/config/schema.ts';
import type { SchemaNode } from '../../../src/config/setting.ts';
import { packagePath } from '../../../src/lib/package-root.ts';

const defaultToml = readFileSync(packagePath('config', 'default.toml'), 'utf8');

/** With its commented examples (`# key = value`, `# [table]`) made real. */
const withExamples = defaultToml
  .replaceAll(/^# (?=\[|[a-z_]+ = )/gm, '')
  .replace('global = []\n', '')
  .replace('[registries]\n', '');

describe('config/default.toml', () => {
  it('has every setting of the schema under its description, in the order of the schema, and no other', () => {
    expect(documented(withExamples)).toEqual(described(configNode));
  });

  it('gives every setting a value the schema takes, commented examples included', () => {
    for (const toml of [defaultToml, withExamples]) {
      const { problems } = readSettings({
        node: configNode,
        tree: parse(toml),
        path: [],
        where: () => 'default.toml',
        surroundings: { directory: '/', env: {} },
      });
      expect(problems).toEqual([]);
    }
  });

  it('gives a default to every setting at a fixed place', () => {
    expect(Object.keys(flat(parse(defaultToml)))).toEqual(expect.arrayContaining([...fixed(configNode, '')]));
  });
});

/** `key: comment above it`, settings only. */
function documented(toml: string): readonly string[] {
  const lines = toml.split('\n');
  return lines.flatMap((line, index) => {
    const [, key] = /^([a-z_]+) = /.exec(line) ?? [];
    return key === undefined ? [] : [`${key}: ${lines[index - 1]?.replace(/^# /, '')}`];
  });
}

/** Lists are documented by their elements, beside the list itself where it is empty. */
function described(node: SchemaNode): readonly string[] {
  const lists: string[] = [];
  const leaves = Object.entries(node.properties ?? {}).flatMap(([key, property]): readonly string[] => {
    if (property.patternProperties) return described(property.patternProperties['^.*$'] as SchemaNode);
    if (!property.items) return property.properties ? described(property) : [`${key}: ${property.description}`];
    if (lists.length === 0) lists.push(...described(property.items));
    return key === 'global' ? [] : [`${key}: ${property.description}`];
  });
  return [...leaves, ...lists];
}

function fixed(node: SchemaNode, prefix: string): readonly string[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, property]) =>
    property.properties ? fixed(property, `${prefix}${key}.`) : property.patternProperties ? [] : [`${prefix}${key}`],
  );
}

function flat(tree: object, prefix = ''): Record<string, unknown> {
  return Object.assign(
    {},
    ...Object.entries(tree).map(([key, value]: [string, unknown]) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? flat(value, `${prefix}${key}.`)
        : { [`${prefix}${key}`]: value },
    ),
  ) as Record<string, unknown>;
}
