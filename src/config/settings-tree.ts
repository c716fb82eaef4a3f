/** Tables of settings as they were read, keys as TOML spells them. */
export interface SettingsTree {
  [key: string]: unknown;
}

export function isTable(value: unknown): value is SettingsTree {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
