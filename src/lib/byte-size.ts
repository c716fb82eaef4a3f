/** Sizes as an operator writes them: "512 MiB", "128KiB", "500 MB". Letter case does not matter. */

const unitBytes = {
  tib: 1024 ** 4,
  gib: 1024 ** 3,
  mib: 1024 ** 2,
  kib: 1024,
  tb: 1e12,
  gb: 1e9,
  mb: 1e6,
  kb: 1e3,
  b: 1,
} as const;

/** Larger ones first, so that the first that divides a size gives the shortest text. */
const unitNames = ['TiB', 'TB', 'GiB', 'GB', 'MiB', 'MB', 'KiB', 'kB'] as const;

/** Reads a size as bytes; nothing for any other text ("1g" says not which kilo) and for what is no whole number of bytes. */
export function parseByteSize(text: string): number | undefined {
  const [, whole = '', fraction = '', unit = ''] = /^(\d+)(?:\.(\d{1,3}))? *([kmgt]?i?b)$/i.exec(text.trim()) ?? [];
  if (unit === '') return undefined;
  const factor = factorOf(unit);
  const bytes = Number(whole) * factor + (Number(fraction) * factor) / 10 ** fraction.length;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Writes whole bytes so that `parseByteSize` reads the same number. */
export function renderByteSize(bytes: number): string {
  const name = unitNames.find((candidate) => bytes > 0 && bytes % factorOf(candidate) === 0) ?? 'B';
  return `${bytes / factorOf(name)} ${name}`;
}

function factorOf(unit: string): number {
  return unitBytes[unit.toLowerCase() as keyof typeof unitBytes] ?? Number.NaN;
}
