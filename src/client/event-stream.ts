/** Server-sent events, as the HTML standard writes them. */

export interface ServerEvent {
  /** "message" where the server names none. */
  readonly name: string;
  readonly data: string;
}

/** Reads events as they come, however the bytes are cut. An event that is not finished at the end is left out. */
export async function* parseEvents(bytes: AsyncIterable<Uint8Array>): AsyncIterable<ServerEvent> {
  let lines: string[] = [];
  for await (const line of splitLines(bytes)) {
    if (line !== '') {
      lines.push(line);
      continue;
    }
    const event = parseEvent(lines);
    lines = [];
    if (event !== undefined) yield event;
  }
}

/** Nothing for a block without data, such as a comment that only keeps the connection open. */
function parseEvent(lines: readonly string[]): ServerEvent | undefined {
  let name = 'message';
  const data: string[] = [];
  for (const line of lines) {
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === 'event') name = value;
    if (field === 'data') data.push(value);
  }
  return data.length === 0 ? undefined : { name, data: data.join('\n') };
}

async function* splitLines(bytes: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of bytes) {
    rest += decoder.decode(chunk, { stream: true });
    // A CR at the very end may be the first half of a CRLF.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    yield* lines;
  }
}
