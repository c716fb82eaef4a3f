/** What is said of an image of the engine beside the service, where that engine ends or falls silent while it answers. */

import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createEngineImages } from '../../../../launchers/apptainer/engine-images.ts';
import { makeTestDirectory } from '../../../support/test-directory.ts';

const signal = new AbortController().signal;
const id = `sha256:${'a'.repeat(64)}`;

/** Asks an engine that answers so for the id of an image, and for its archive. @returns how both ended. */
async function ask(listener: RequestListener) {
  await using directory = await makeTestDirectory('engine-images');
  const socket = join(directory.path, 'engine');
  const server = createServer(listener);
  await once(server.listen(socket), 'listening');
  try {
    const images = createEngineImages(socket);
    return await Promise.allSettled([
      images.identify('a/tool:1', signal),
      Array.fromAsync(images.save(id, signal)).then((chunks) => Buffer.concat(chunks).toString()),
    ]);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const later = { status: 'rejected', reason: { code: 'launcher.unavailable', retryable: true } };

describe('an image of the engine beside the service', () => {
  it('is given by its id, and as an archive', async () => {
    const outcomes = await ask((_, answer) => void answer.end(JSON.stringify({ Id: id })));
    expect(outcomes).toMatchObject([{ value: id }, { value: JSON.stringify({ Id: id }) }]);
  });

  it('may be had later where the engine ends in the middle of its answer', async () => {
    const outcomes = await ask((_, answer) => {
      answer.writeHead(200, { 'content-length': 1_000 });
      answer.write('{"Id":', () => answer.destroy());
    });
    expect(outcomes).toMatchObject([later, later]);
  });

  it('may be had later where the engine answers with what is not to be read', async () => {
    const [identified] = await ask((_, answer) => void answer.end('{"Id":'));
    expect(identified).toMatchObject(later);
  });
});
