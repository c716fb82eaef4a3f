/** Linux takes no longer `name=value` than 131,072 bytes with its NUL; a longer one makes every start fail. */
const maxVariableBytes = 131_071;

/** Why no container could be given this environment variable; nothing when it could. */
export function variableProblem(name: string, value: string): string | undefined {
  const shown = JSON.stringify(name.slice(0, 80));
  if (name === '') return 'a variable has no name';
  if (name.includes('=')) return `the name of variable ${shown} holds "="`;
  if (name.includes('\0')) return `the name of variable ${shown} holds NUL`;
  if (value.includes('\0')) return `the value of variable ${shown} holds NUL`;
  const bytes = Buffer.byteLength(name) + 1 + Buffer.byteLength(value);
  if (bytes <= maxVariableBytes) return undefined;
  return `variable ${shown} takes ${bytes} bytes with its name; Linux allows ${maxVariableBytes} at most`;
}
