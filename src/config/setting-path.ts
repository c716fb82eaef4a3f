/** Keys and list positions from the root of the configuration to a setting. */
export type SettingPath = readonly (string | number)[];

const bareKey = /^[\w-]+$/;
const literalKey = /^[^'\p{Cc}]*$/u;

/** As it is written in TOML and in messages: `registries.'host:5000'.password`, `directory.tenants[0]`. */
export function renderPath(path: SettingPath): string {
  return path.reduce<string>((text, segment) => {
    if (typeof segment === 'number') return `${text}[${segment}]`;
    return text === '' ? renderKey(segment) : `${text}.${renderKey(segment)}`;
  }, '');
}

/** In single quotes where it needs any and can have those: messages put paths in double ones. */
export function renderKey(key: string): string {
  if (bareKey.test(key)) return key;
  return literalKey.test(key) ? `'${key}'` : renderText(key);
}

/** A TOML basic string: JSON's escapes, and DEL, which TOML does not take as it is. */
export function renderText(text: string): string {
  return JSON.stringify(text).replaceAll('\u007F', '\\u007f');
}
