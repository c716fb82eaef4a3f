import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type MessageFlags, readMessage } from '../../../src/client/outgoing-message.ts';
import { makeTestDirectory } from '../../support/test-directory.ts';

async function* stdin(...parts: readonly string[]): AsyncIterable<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

const read = (flags: MessageFlags) => readMessage(flags, stdin());

describe('readMessage', () => {
  it('sends a text as the message itself, whatever is in it', async () => {
    expect(await read({ message: '{"a": "\n"}' })).toEqual({
      contentType: 'application/json',
      body: Buffer.from(JSON.stringify({ message: '{"a": "\n"}' })),
      environment: {},
    });
  });

  it('sends a file as a binary message, without reading it into memory', async () => {
    await using directory = await makeTestDirectory('message');
    const file = join(directory.path, 'data');
    writeFileSync(file, 'abc');
    expect(await read({ file })).toMatchObject({ contentType: 'application/octet-stream', body: { file, bytes: 3 } });
  });

  it('sends standard input for "-"', async () => {
    const { body } = await readMessage({ file: '-' }, stdin('ab', 'c'));
    expect(body).toEqual(Buffer.from('abc'));
  });

  it('gives variables as they are, also with "=" and line breaks', async () => {
    const { environment } = await read({ message: 'x', env: ['A=1=2', 'B=', 'A=3\n4'] });
    expect(environment).toEqual({ A: '3\n4', B: '' });
  });

  it.each([
    [{}, 'A message is wanted: give either --message TEXT or --file FILE'],
    [{ message: 'x', file: 'y' }, 'A message is wanted: give either --message TEXT or --file FILE'],
    [{ message: '' }, 'An empty text is no message; give --message some text'],
    [{ file: '-' }, 'An empty standard input is no message; pipe something into it, or give --message some text'],
    [{ message: 'x', env: ['A'] }, 'Environment "A" is not NAME=VALUE; write it as in -e SIZE=10'],
    [{ message: 'x', env: ['=1'] }, 'Environment "=1" is not NAME=VALUE; write it as in -e SIZE=10'],
    [
      { message: 'x', env: ['message=1'] },
      'Environment "message" has a meaning of its own in a request; take another name',
    ],
    [{ file: '/' }, 'File "/" cannot be sent: it is not a regular file; "-" is standard input'],
  ])('refuses %j', async (flags, message) => {
    await expect(read(flags)).rejects.toMatchObject({ code: 'request.invalid', message });
  });

  it('refuses a file with nothing in it', async () => {
    await using directory = await makeTestDirectory('message');
    const file = join(directory.path, 'empty');
    writeFileSync(file, '');
    await expect(read({ file })).rejects.toThrow(
      `An empty file is no message; write something into "${file}", or name another`,
    );
  });

  it('says which file is not there', async () => {
    await expect(read({ file: '/no/such' })).rejects.toThrow(/^File "\/no\/such" cannot be sent: ENOENT/);
  });
});
