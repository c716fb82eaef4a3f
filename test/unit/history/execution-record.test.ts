import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Execution } from '../../../src/executions/execution.ts';
import { bodyOf, bodyRecordOf, executionOf } from '../../../src/history/execution-record.ts';
import { optional } from '../../../src/lib/optional.ts';

const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const date = fc.date({ noInvalidDate: true });
const wait = fc
  .tuple(fc.string(), date)
  .map(([cause, since]) => ({ cause, since, owner: 'service', next: 'one starts' }) as const);

const executions: fc.Arbitrary<Execution> = fc
  .tuple(fc.string({ unit: 'binary' }), date, maybe(date), maybe(date), maybe(wait), maybe(fc.integer()))
  .map(([text, receivedAt, startedAt, finishedAt, waiting, exitCode]) => ({
    tenant: text,
    actorId: 'a',
    id: 'e',
    state: 'complete',
    executor: text,
    revision: 1,
    attempt: 1,
    receivedAt,
    ...optional('startedAt', startedAt),
    ...optional('finishedAt', finishedAt),
    ...optional('wait', waiting),
    ...optional('exitCode', exitCode),
  }));

describe('execution records', () => {
  it('give back the execution, through JSON or as they are', () => {
    fc.assert(
      fc.property(executions, (execution) => {
        expect(executionOf(execution)).toStrictEqual(execution);
        expect(executionOf(JSON.parse(JSON.stringify(execution)))).toStrictEqual(execution);
      }),
    );
  });

  it('give back a body, inline or a blob', () => {
    const inline = fc.uint8Array().map((bytes) => ({ inline: bytes }));
    const blob = fc.record({ blob: fc.string(), bytes: fc.nat() }, { noNullPrototype: true });
    fc.assert(
      fc.property(fc.oneof(inline, blob), (body) => {
        expect(bodyOf(bodyRecordOf(body))).toStrictEqual(body);
      }),
    );
  });

  it('give back plain bytes where a driver gives a buffer', () => {
    const { inline } = bodyOf({ inline: Buffer.from('ab'), blob: null, bytes: 2 }) as { inline: Uint8Array };
    expect(inline).toStrictEqual(new Uint8Array([97, 98]));
  });
});
