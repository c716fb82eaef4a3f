import { expect, it } from 'vitest';
import { planAdmission } from '../../../src/api/plan-admission.ts';

const none = new Set<string>();

it.each([
  ['the first ones, as many as there is room for', [undefined, 'a', undefined], none, 2, [true, true, false]],
  ['nothing new without room', [undefined, 'a'], none, 0, [false, false]],
  ['what repeats a message of before, which needs no room', ['a', 'b', 'a'], new Set(['a']), 0, [true, false, true]],
  ['what repeats one of the same batch', ['a', 'a', 'b', 'a'], none, 1, [true, true, false, true]],
  ['nothing that repeats a refused one', [undefined, 'a', 'a'], none, 1, [true, false, false]],
] as const)('admits %s', (_what, keys, used, room, admitted) => {
  expect(planAdmission(keys, used, room)).toEqual(admitted);
});
