/**
 * `sacctmgr show user withassoc`: which accounts users may charge, and with what limits (sacctmgr(1)); in columns we name,
 * which every version prints alike. Limits are those in effect, inherited ones too.
 */

import { optional } from '../../../src/lib/optional.ts';
import { type Command, expectSuccess } from '../../host/command.ts';
import type { Association } from '../cluster-facts.ts';
import { parseSlurmTime } from '../slurm-time.ts';

const columns = ['cluster', 'user', 'defaultaccount', 'account', 'partition', 'qos', 'maxsubmitjobs', 'maxwall'];

/** Of all users at once: a site has thousands of lines of this, and it is asked for a few times an hour. */
export function showUsersCommand(): Command<readonly (Association & { readonly cluster: string })[]> {
  const succeed = expectSuccess('sacctmgr');
  return {
    argv: ['sacctmgr', '--noheader', '--parsable2', 'show', 'user', 'withassoc', `format=${columns.join(',')}`],
    timeoutMs: 30_000,
    maxOutputBytes: 64 * 1024 * 1024,
    parse: (result) => parseUsers(succeed(result)),
  };
}

export function parseUsers(text: string): readonly (Association & { readonly cluster: string })[] {
  return text.split('\n').flatMap((line) => {
    const [cluster = '', user = '', standard = '', account = '', partition = '', qos = '', submit = '', wall = ''] =
      line.split('|');
    if (cluster === '' || user === '' || account === '') return [];
    return [
      {
        cluster,
        user,
        account,
        isDefault: account === standard,
        ...optional('partition', partition || undefined),
        qos: qos === '' ? [] : qos.split(','),
        ...optional('maxSubmitJobs', /^\d{1,9}$/.test(submit) ? Number(submit) : undefined),
        ...optional('maxWallMs', parseSlurmTime(wall)),
      },
    ];
  });
}
