import { readFile } from 'node:fs/promises';

/** Whether a process has ended, also where its parent has not noticed yet. */
export async function isGone(pid: number): Promise<boolean> {
  return await readFile(`/proc/${pid}/stat`, 'utf8').then(
    (text) => /\) [ZX] /.test(text),
    () => true,
  );
}
