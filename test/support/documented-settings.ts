/** What a file of settings says of each: `key: comment above it`, in its order. */
export function documentedSettings(toml: string): readonly string[] {
  const lines = toml.split('\n');
  return lines.flatMap((line, index) => {
    const [, key] = /^([a-z_]+) = /.exec(line) ?? [];
    return key === undefined ? [] : [`${key}: ${lines[index - 1]?.replace(/^# /, '')}`];
  });
}
