/** Times as searches write them (contract §7.13): ISO 8601 from a year alone up to a fraction of a second. */

const pattern =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ](\d{2})(?::(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?)?)?)?(Z|z|[+-]\d{2}:\d{2})?$/;

/**
 * The first moment of what is named: `2020-05` is the start of May. Each form may end with an offset, so `2000-05:00` is
 * the year 2000 five hours west of Greenwich; without one it is UTC. Less than a millisecond is cut off.
 *
 * @returns nothing for what names no time, also a thirteenth month or the 30th of February.
 */
export function parseBroadTime(text: string): Date | undefined {
  const match = pattern.exec(text.trim());
  if (!match) return undefined;
  const [, year = '', month = '01', day = '01', hour = '00', minute = '00', second = '00', fraction = '', offset] =
    match;
  const ms = fraction.padEnd(3, '0').slice(0, 3);
  const named = `${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`;
  const asUtc = new Date(named);
  if (Number.isNaN(asUtc.getTime()) || asUtc.toISOString() !== named) return undefined;
  const offsetMs = offsetOf(offset);
  if (offsetMs === undefined) return undefined;
  const time = new Date(asUtc.getTime() - offsetMs);
  const inRange = time.getUTCFullYear() >= 0 && time.getUTCFullYear() <= 9_999;
  return inRange ? time : undefined;
}

function offsetOf(offset: string | undefined): number | undefined {
  if (offset === undefined || offset.toUpperCase() === 'Z') return 0;
  const hours = Number(offset.slice(1, 3));
  const minutes = Number(offset.slice(4, 6));
  if (hours > 23 || minutes > 59) return undefined;
  return (offset.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}
