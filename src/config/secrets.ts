/** What a reader of the configuration may see. Secrets never reach output, logs or messages in another form than these. */

import type { SchemaNode } from './setting.ts';

export const mask = '********';

const secretWord = /passw|secret|token|credential|private_?key|api_?key/i;

/** By its schema, or by its name where the schema is not ours: a launcher's own options. */
export function isSecret(node: SchemaNode | undefined, key: string): boolean {
  return node?.setting === undefined ? secretWord.test(key) : node.setting.secret !== undefined;
}

/** `value` as it may be shown; `key` decides where no schema does (a launcher's own options). */
export function maskSecrets(value: unknown, node: SchemaNode | undefined, key: string): unknown {
  if (typeof value !== 'string' || value === '') return value;
  return isSecret(node, key) && node?.setting?.secret !== 'url' ? mask : maskUrl(value);
}

/**
 * Hides the password of a URL: from the first colon of the credentials to the last `@`, since people forget to escape
 * `/` and `@` in passwords; and the values of query parameters whose names say that they are secret.
 */
export function maskUrl(text: string): string {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return text;
  return text
    .replace(/^([^:]+:\/\/[^:@/?#]*:).*@/s, `$1${mask}@`)
    .replaceAll(/([?&;]([^=&;#]+)=)([^&;#]*)/g, (whole, start: string, name: string) =>
      secretWord.test(name) ? `${start}${mask}` : whole,
    );
}
