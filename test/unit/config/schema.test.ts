import { readFileSync } from 'node:fs';
import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { readSettings } from '../../../src/config/read-settings.ts';
import { configNode } from '../../../src/config/schema.ts';
import type { SchemaNode } from '../../../src/config/setting.ts';
import { packagePath } from '../../../src/lib/package-root.ts';
import { documentedSettings } from '../../support/documented-settings.ts';

const defaultToml = readFileSync(packagePath('config', 'default.toml'), 'utf8');

/** With its commented examples (`# key = value`, `# [table]`) made real. */
const withExamples = defaultToml.replaceAll(/^# (?=\[|[a-z_]+ = )/gm, '').replace('[registries]\n', '');

describe('config/default.toml', () => {
  it('has every setting of the schema under its description, in the order of the schema, and no other', () => {
    expect(documentedSettings(withExamples)).toEqual(described(configNode));
  });

  it('gives every setting a value the schema takes, commented examples included', () => {
    for (const toml of [defaultToml, withExamples]) {
      const { problems } = readSettings({
        node: configNode,
        tree: parse(toml),
        path: [],
        where: () => 'default.toml',
        surroundings: () => ({ directory: '/', env: {} }),
      });
      expect(problems).toEqual([]);
    }
  });

  it('gives a default to every setting at a fixed place', () => {
    expect(Object.keys(flat(parse(defaultToml)))).toEqual(expect.arrayContaining([...fixed(configNode, '')]));
  });
});

/** A list, or a table whose values are no tables, is one setting. */
function described(node: SchemaNode): readonly string[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, property]): readonly string[] => {
    const item = property.patternProperties?.['^.*$'];
    const inner = item === undefined ? property : item;
    return inner.properties ? described(inner) : [`${key}: ${property.description}`];
  });
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
