import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import { connectDocker } from './docker.ts';
import { isExecutable } from './program.ts';

/** The one program of the test image: Debian's `busybox-static`. */
const busybox = '/bin/busybox';

/** Names a test may call; each is a link to the one program. */
const applets = ['sh', 'cat', 'env', 'awk', 'sleep', 'usleep', 'yes', 'head', 'dd', 'id', 'ls', 'ln', 'rm', 'touch'];

/** Under which name tests find it on the engine. */
export const testImage = 'abaco-test-busybox:1';

/** Whether the image is there or can be made. */
export async function testImageAvailable(): Promise<boolean> {
  return await isExecutable(busybox);
}

/** Puts the image on the engine where it is missing: two megabytes and no registry. */
export async function ensureTestImage(name = testImage): Promise<void> {
  const docker = connectDocker();
  const isThere = await docker
    .getImage(name)
    .inspect()
    .then(
      () => true,
      () => false,
    );
  if (!isThere) await importTestImage(name);
}

/** Imports it anew, with `content` in a file, so that images of the same name can be told apart, and with more files. */
export async function importTestImage(name: string, content = '', files: Files = {}): Promise<void> {
  const [repo, tag] = [name.slice(0, name.lastIndexOf(':')), name.slice(name.lastIndexOf(':') + 1)];
  const changes = ['ENV PATH=/bin', 'ENTRYPOINT ["/bin/sh", "-c"]', 'CMD ["cat /content"]'];
  const archive = Readable.from([await rootFileSystem({ content, ...files })]);
  const answer: NodeJS.ReadableStream = await connectDocker().importImage(archive, { repo, tag, changes });
  const lines = await buffer(answer);
  if (lines.includes('"error"')) throw new Error(`The test image was not imported: ${lines.toString()}`);
}

/** Text by path. */
type Files = Readonly<Record<string, string>>;

async function rootFileSystem(files: Files): Promise<Buffer> {
  const archive = pack();
  const program = await readFile(busybox);
  archive.entry({ name: 'bin/busybox', mode: 0o755 }, program);
  for (const applet of applets) archive.entry({ name: `bin/${applet}`, type: 'symlink', linkname: 'busybox' });
  archive.entry({ name: 'tmp', type: 'directory', mode: 0o1777 });
  for (const [name, text] of Object.entries(files)) archive.entry({ name, mode: 0o644 }, text);
  archive.finalize();
  return await buffer(archive);
}
