import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseExecutionToken, renderExecutionToken } from '../../../src/auth/execution-token.ts';

const secret = 's'.repeat(43);
const token = { tenant: 'DEV-DEVELOP', actorId: 'A1', executionId: 'E1', secret };

describe('an execution token', () => {
  it('names its execution and carries its secret', () => {
    expect(renderExecutionToken(token)).toBe(`abaco_x1.DEV-DEVELOP.A1.E1.${secret}`);
  });

  it('reads back as what it was made of, also where the tenant holds dots', () => {
    const word = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/);
    const id = fc.stringMatching(/^[A-Za-z0-9]{1,13}$/);
    const tenant = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join('.'));
    const tokens = fc.record({
      tenant,
      actorId: id,
      executionId: id,
      secret: fc.stringMatching(/^[A-Za-z0-9_-]{43}$/),
    });
    fc.assert(
      fc.property(tokens, (given) => {
        expect(parseExecutionToken(renderExecutionToken(given))).toEqual(given);
      }),
    );
  });

  it.each([
    '',
    'abaco_x1',
    `abaco_x2.T.A.E.${secret}`,
    `abaco_x1.T.A.${secret}`,
    `abaco_x1.T.A.E.${secret}s`,
    `abaco_x1..A.E.${secret}`,
    `abaco_x1.T.A:B.E.${secret}`,
    `abaco_x1.T.A.E.${secret}\n`,
    'eyJhbGciOiJSUzI1NiJ9.e30.c2ln',
  ])('is nothing else: %j', (text) => {
    expect(parseExecutionToken(text)).toBeUndefined();
  });
});
