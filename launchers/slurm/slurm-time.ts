/** Times as Slurm prints them: "1-00:00:00", "00:30:00", "05:00", "30", "UNLIMITED". */

/** Nothing where there is no limit, and for what is no time. A number alone is minutes. */
export function parseSlurmTime(text: string): number | undefined {
  const [, days = '0', rest = ''] = /^(?:(\d{1,4})-)?(\d{1,6}(?::\d{1,2}){0,2})$/.exec(text.trim()) ?? [];
  if (rest === '') return undefined;
  const parts = rest.split(':').map(Number);
  const [first = 0, second = 0, third = 0] = parts;
  const isHours = text.includes('-') || parts.length === 3;
  const seconds = isHours ? (first * 60 + second) * 60 + third : first * 60 + second;
  return (Number(days) * 86_400 + seconds) * 1_000;
}
