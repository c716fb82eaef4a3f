import { describe, expect, it } from 'vitest';
import type { Actor } from '../../../src/actors/actor.ts';
import { buildEnvironment } from '../../../src/executions/environment.ts';
import type { Execution, Message } from '../../../src/executions/execution.ts';
import type { ValueText } from '../../../src/executions/value-text.ts';

const actor = {
  tenant: 'DEV',
  id: 'A1',
  name: null,
  image: 'img',
  revision: 3,
  defaultEnvironment: { KEY: 'default', number: 5, unset: null, 'with-hyphen': { a: true } },
} as unknown as Actor;
// Posted before the actor's last update.
const execution = { id: 'E1', executor: 'jane', revision: 2 } as unknown as Execution;

function environmentOf(
  message: Partial<Message>,
  text?: string,
  valueText: ValueText = 'python',
): Readonly<Record<string, string>> {
  return buildEnvironment({
    actor,
    execution,
    message: { contentType: 'str', body: { inline: new Uint8Array() }, environment: {}, executor: 'jane', ...message },
    ...(text === undefined ? {} : { text }),
    stateJson: '{"count":1,"none":null}',
    configs: [{ name: 'settings', value: 'text' }],
    workerId: 'W1',
    accessToken: 'secret',
    apiServer: 'http://host:8000',
    valueText,
  });
}

describe('buildEnvironment', () => {
  it('lets query parameters win over the default environment, and the server over both', () => {
    const environment = environmentOf({ environment: { KEY: 'query', _abaco_username: 'forged' } }, 'hi');
    expect(environment).toMatchObject({ KEY: 'query', _abaco_username: 'jane', MSG: 'hi' });
  });

  it('knows of a schedule neither who asked nor where, and of an event no revision', () => {
    const scheduled = environmentOf({ cause: 'schedule' }, 'hi');
    expect(scheduled).not.toHaveProperty('_abaco_username');
    expect(scheduled).not.toHaveProperty('_abaco_api_server');
    expect(scheduled).toMatchObject({ _abaco_actor_revision: '2' });
    const caused = environmentOf({ cause: 'event' }, 'hi');
    expect(caused).toMatchObject({ _abaco_username: 'jane', _abaco_api_server: 'http://host:8000' });
    expect(caused).not.toHaveProperty('_abaco_actor_revision');
  });

  it('writes values as Python does, and leaves a null unset', () => {
    const environment = environmentOf({}, 'hi');
    expect(environment['number']).toBe('5');
    expect(environment['with-hyphen']).toBe("{'a': True}");
    expect(environment['_abaco_actor_state']).toBe("{'count': 1, 'none': None}");
    expect(environment).not.toHaveProperty('unset');
  });

  it('writes values as JSON where compat.value_text = "json", and text as it is all the same', () => {
    const environment = environmentOf({ contentType: 'application/json' }, '{"a": [null, true]}', 'json');
    expect(environment).toMatchObject({ MSG: '{"a":[null,true]}', 'with-hyphen': '{"a":true}', number: '5' });
    expect(environment['_abaco_actor_state']).toBe('{"count":1,"none":null}');
    expect(environment['_actor_configs']).toBe('{"settings":"text"}');
    expect(environment).not.toHaveProperty('unset');
    expect(environmentOf({}, 'plain', 'json')['MSG']).toBe('plain');
  });

  it('gives a JSON message as a Python literal and a text message as it is', () => {
    expect(environmentOf({ contentType: 'application/json' }, '{"a": "it\'s"}')['MSG']).toBe(`{'a': "it's"}`);
    expect(environmentOf({ contentType: 'application/json' }, '{"9": 1.0, "8": 12345678901234567890}')['MSG']).toBe(
      "{'9': 1.0, '8': 12345678901234567890}",
    );
    expect(environmentOf({ contentType: 'application/json' }, ' "text"')['MSG']).toBe('text');
    expect(environmentOf({}, '{"a": 1}')['MSG']).toBe('{"a": 1}');
  });

  it('sets no MSG for a binary message', () => {
    expect(environmentOf({ contentType: 'application/octet-stream' })).not.toHaveProperty('MSG');
  });

  it('sets both spellings of the content type, the revision, and None for an actor without a name', () => {
    expect(environmentOf({}, 'hi')).toMatchObject({
      _abaco_Content_Type: 'str',
      '_abaco_Content-Type': 'str',
      _abaco_actor_revision: '2',
      _abaco_actor_name: 'None',
      _abaco_actor_dbid: 'DEV_A1',
      _abaco_access_token: 'secret',
    });
  });
});
