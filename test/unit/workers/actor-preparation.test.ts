import pino from 'pino';
import { describe, expect, it } from 'vitest';
import type { Actor } from '../../../src/actors/actor.ts';
import {
  ForbiddenError,
  InvalidError,
  LauncherError,
  QuotaError,
  UnavailableError,
  UnknownOutcomeError,
} from '../../../src/errors.ts';
import type { LauncherEntry } from '../../../src/launcher/launcher-table.ts';
import { createActorPreparation } from '../../../src/workers/actor-preparation.ts';

/** What is written of an actor whose image is asked for once. */
async function markedAfter(prepare: () => Promise<unknown>): Promise<readonly string[]> {
  const marked: string[] = [];
  const actors = {
    markReady: async (_: unknown, revision: number, digest: string) => (
      marked.push(`ready ${revision} ${digest}`), 'marked' as const
    ),
    markError: async (_: unknown, __: number, text: string) => (marked.push(`error: ${text}`), 'marked' as const),
    markWaiting: async (_: unknown, __: number, { cause }: { readonly cause: string }) => (
      marked.push(`waiting: ${cause}`), 'marked' as const
    ),
  };
  const { signal } = new AbortController();
  const preparation = createActorPreparation({ actors, log: pino({ level: 'silent' }), leaving: signal });
  const actor = { tenant: 'T', id: 'a1', revision: 2, image: 'x', owner: 'alice' } as Actor;
  preparation.begin(actor, { name: 'far', launcher: { prepare } } as unknown as LauncherEntry);
  await preparation.idle();
  return marked;
}

const failing = (error: Error) => async () => {
  throw error;
};

describe('an actor whose image is asked for', () => {
  it('is ready once it is there', async () => {
    expect(await markedAfter(async () => ({ digest: 'sha256:1' }))).toEqual(['ready 2 sha256:1']);
  });

  it.each([
    new UnavailableError('image.registry_unavailable', 'The registry is away'),
    new QuotaError('host.disk_full', 'The disk is full'),
    new UnknownOutcomeError('host.unknown_outcome', 'The host was cut off'),
    new LauncherError('host.file_failed', 'The file system is stale'),
    new LauncherError('host.command_failed', 'The move of a file failed'),
    new ForbiddenError('host.file_denied', 'The file system is read-only'),
    new ForbiddenError('host.denied', 'sudo: unknown user alice'),
    new SyntaxError('Unexpected end of JSON input'),
  ])('waits for what is not the fault of its image: $message', async (error) => {
    expect(await markedAfter(failing(error))).toEqual([`waiting: ${error.message}`]);
  });

  it.each([
    new InvalidError('image.invalid', 'It is no image'),
    new LauncherError('image.denied', 'The registry refuses it'),
    new ForbiddenError('image.forbidden', 'It is not for this tenant'),
    new ForbiddenError('identity.other', 'The account is another user'),
    new ForbiddenError('request.forbidden', 'The launcher is the account of another'),
    new LauncherError('launcher.rejected', 'The build failed'),
  ])('is in ERROR where its image is bad, or not for its owner: $code', async (error) => {
    expect(await markedAfter(failing(error))).toEqual([`error: ${error.message}`]);
  });
});
