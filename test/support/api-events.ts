/** Server-sent events as a browser reads them. */

import { until } from './until.ts';

export interface ReadEvent {
  readonly event: string;
  readonly id: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface EventReader extends AsyncDisposable {
  readonly status: number;
  readonly contentType: string;
  /** All that came so far. */
  readonly events: readonly ReadEvent[];
  /** Waits for the first event that is so. */
  find(wanted: (event: ReadEvent) => boolean): Promise<ReadEvent>;
  /** Waits until the stream ends. */
  ended(): Promise<readonly ReadEvent[]>;
}

export async function readEvents(url: string, headers: Readonly<Record<string, string>> = {}): Promise<EventReader> {
  const stop = new AbortController();
  const response = await fetch(url, { headers: { accept: 'text/event-stream', ...headers }, signal: stop.signal });
  const events: ReadEvent[] = [];
  let ended = false;
  const reading = (async () => {
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      const blocks = (text + decoder.decode(chunk, { stream: true })).split('\n\n');
      text = blocks.pop() ?? '';
      events.push(...blocks.filter((block) => block.includes('data: ')).map(parseBlock));
    }
    ended = true;
  })();
  reading.catch(() => undefined);
  return {
    status: response.status,
    contentType: response.headers.get('content-type') ?? '',
    events,
    find: (wanted) => until(() => events.find(wanted), { what: 'an event' }),
    ended: async () => {
      await until(() => ended, { what: 'the end of the events' });
      return events;
    },
    [Symbol.asyncDispose]: async () => stop.abort(),
  };
}

function parseBlock(block: string): ReadEvent {
  const fields = new Map(
    block.split('\n').map((line): [string, string] => {
      const colon = line.indexOf(': ');
      return [line.slice(0, colon), line.slice(colon + 2)];
    }),
  );
  const data = JSON.parse(fields.get('data') ?? 'null') as ReadEvent['data'];
  return { event: fields.get('event') ?? '', id: fields.get('id') ?? '', data };
}
