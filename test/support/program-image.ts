import { connectDocker } from './docker.ts';
import { ensureTestImage, testImage } from './test-image.ts';

/** Makes an image of the test image whose command is `script`, run by its shell; made anew each time, in milliseconds. */
export async function ensureProgramImage(name: string, script: string): Promise<void> {
  await ensureTestImage();
  const docker = connectDocker();
  const container = await docker.createContainer({ Image: testImage });
  try {
    const [repo, tag] = name.split(':');
    await container.commit({ repo, tag, changes: [`CMD ${JSON.stringify([script])}`] });
  } finally {
    await container.remove({ force: true });
  }
}

export async function removeProgramImage(name: string): Promise<void> {
  await connectDocker()
    .getImage(name)
    .remove({ force: true })
    .catch(() => undefined);
}
