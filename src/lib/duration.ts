/** Spans of time as an operator writes them: "30s", "500ms", "14d", "1h30m". */

const unitMs = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;
const part = /(\d+)(?:\.(\d{1,9}))? ?(ms|s|m|h|d)(?: (?=\d))?/gy;

/** Reads a span as milliseconds; nothing for any other text and for what is no whole number of milliseconds. */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim();
  let totalMs = 0;
  let end = 0;
  let smallest = Number.POSITIVE_INFINITY;
  for (const [match, whole = '', fraction = '', unit] of trimmed.matchAll(part)) {
    const ms = unitMs[unit as keyof typeof unitMs];
    if (ms >= smallest) return undefined;
    smallest = ms;
    totalMs += Number(whole) * ms + fractionOf(fraction, ms);
    end += match.length;
  }
  return end > 0 && end === trimmed.length && Number.isSafeInteger(totalMs) ? totalMs : undefined;
}

/** Decimals by whole numbers, so that "1.005s" is 1005 and not 1004.9999999999999. */
function fractionOf(digits: string, ms: number): number {
  const scaled = Number(digits) * ms;
  const scale = 10 ** digits.length;
  return scaled % scale === 0 ? scaled / scale : Number.NaN;
}

/** Writes whole milliseconds so that `parseDuration` reads the same number. */
export function renderDuration(ms: number): string {
  let rest = ms;
  let text = '';
  for (const [unit, size] of Object.entries(unitMs)) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text === '' ? '0s' : text;
}
