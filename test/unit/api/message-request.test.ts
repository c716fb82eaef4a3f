import { describe, expect, it } from 'vitest';
import { holdsNul, planTextMessage, type TextMessage, textBytes } from '../../../src/api/message-request.ts';

function plan(body: string, mediaType = 'application/json', ...given: string[]): TextMessage {
  return planTextMessage({ mediaType, body: Buffer.from(body), given, valueText: 'python' });
}

describe('planTextMessage', () => {
  it.each([
    ['{"message": 1.0}', '1.0'],
    ['{"message": 12345678901234567890}', '12345678901234567890'],
    ['{"message": {"10": 1, "9": null}}', "{'10': 1, '9': None}"],
    ['{"message": [[1, 2], 3]}', '[1, 2]'],
    ['{"message": false}', 'False'],
    ['{"message": {}}', '{}'],
    ['{"message": "as it is"}', 'as it is'],
  ])('takes the member message of %s as %j', (body, text) => {
    expect(plan(body)).toEqual({ contentType: 'str', text, echo: text });
  });

  it.each([
    '{"message": null, "a": 1.0}',
    '{"message": ""}',
    '{"message": []}',
    '[{"message": "inside"}]',
    '5',
    '"text"',
  ])('takes %s as the message itself, as it was written', (body) => {
    expect(plan(body)).toEqual({ contentType: 'application/json', text: body, echo: JSON.parse(body) as unknown });
  });

  it('takes the first field that is not empty before any body', () => {
    expect(plan('{"message": "body"}', 'application/json', '', 'form').text).toBe('form');
  });

  it('takes JSON of another type as a Python literal that is text, and shows what it read', () => {
    expect(plan('{"a": [true]}', 'text/plain')).toEqual({
      contentType: 'str',
      text: "{'a': [True]}",
      echo: { a: [true] },
    });
  });

  it.each([
    ['{"message": {"10": 1.0, "9": [true, "a b"]}}', 'application/json', '{"10":1.0,"9":[true,"a b"]}'],
    ['{"message": [{"a": null}]}', 'application/json', '{"a":null}'],
    [' {"a": [true]}\n', 'text/plain', '{"a":[true]}'],
    ['"as it is"', 'text/plain', 'as it is'],
  ])('makes of %s, sent as %s, a text that is JSON where compat.value_text = "json"', (body, mediaType, text) => {
    const planned = planTextMessage({ mediaType, body: Buffer.from(body), given: [], valueText: 'json' });
    expect(planned).toMatchObject({ contentType: 'str', text });
  });

  it.each(['', 'hello', '{}', '[]', '0', 'null', '""'])('refuses the body %j', (body) => {
    expect(() => plan(body, 'text/plain')).toThrow('message POST body could not be serialized.');
  });
});

describe('textBytes', () => {
  it('counts what the container gets: the text, or JSON as Python writes it', () => {
    const most = 131_067;
    expect(textBytes({ contentType: 'str', text: 'é', echo: 'é' }, most, 'python')).toBe(2);
    expect(textBytes({ contentType: 'application/json', text: '[true]', echo: [true] }, 10, 'python')).toBe(
      '[True]'.length,
    );
    expect(textBytes({ contentType: 'application/json', text: '"\\u00e9"', echo: 'é' }, 10, 'python')).toBe(2);
  });

  it('counts JSON without its blanks where it stays JSON', () => {
    expect(textBytes({ contentType: 'application/json', text: '[ true ]', echo: [true] }, 10, 'json')).toBe(6);
  });
});

describe('holdsNul', () => {
  it('finds it in text and in JSON that is text; elsewhere Python escapes it', () => {
    expect(holdsNul({ contentType: 'str', text: 'a\0', echo: 'a\0' })).toBe(true);
    expect(holdsNul({ contentType: 'application/json', text: '"\\u0000"', echo: '\0' })).toBe(true);
    expect(holdsNul({ contentType: 'application/json', text: '["\\u0000"]', echo: ['\0'] })).toBe(false);
  });
});
