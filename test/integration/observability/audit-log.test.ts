import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createAuditLog } from '../../../src/observability/audit-log.ts';
import { makeTestDirectory } from '../../support/test-directory.ts';
import { until } from '../../support/until.ts';

const silent = pino({ level: 'silent' });
const read = async (file: string): Promise<string> => await readFile(file, 'utf8').catch(() => '');

describe('an audit log', () => {
  it('goes on in a new file when the old one was renamed away', async () => {
    await using directory = await makeTestDirectory('audit');
    const file = join(directory.path, 'audit.log');
    const audit = createAuditLog({ file, log: silent });
    audit.add({ change: 1 });
    await until(async () => (await read(file)) === '{"change":1}\n');
    await rename(file, `${file}.1`);
    audit.add({ change: 2 });
    await audit.close();
    expect([await read(`${file}.1`), await read(file)]).toEqual(['{"change":1}\n', '{"change":2}\n']);
  });

  it('says that it cannot be written, and writes what was kept, in order, once it can be', async () => {
    await using directory = await makeTestDirectory('audit');
    const file = join(directory.path, 'missing', 'audit.log');
    const said: string[] = [];
    const log = pino({ level: 'error' }, { write: (line: string) => void said.push(line) });
    const audit = createAuditLog({ file, log });
    audit.add({ change: 1 });
    audit.add({ change: 2 });
    await until(() => said.length > 0);
    expect(said[0]).toContain('audit records not written');
    await mkdir(join(directory.path, 'missing'));
    await audit.close();
    expect(await read(file)).toBe('{"change":1}\n{"change":2}\n');
  });
});
