/**
 * The script that starts one attempt: apart from whoever asks for it, so that it outlives them, in a session of its own.
 * It writes down which process it is before that process becomes Apptainer, and says it to whoever asked.
 */

import { UnknownOutcomeError } from '../../src/errors.ts';
import { shellLine, shellQuote } from '../../src/lib/shell.ts';
import { type Command, expectSuccess } from '../host/command.ts';
import { parseStarter, type Starter } from './process-table.ts';

/** Files of a run directory, beside those of every launcher. */
export const startFiles = {
  /** The script. */
  script: 'start.sh',
  /** What Apptainer had to say; the program has a log of its own. */
  output: 'start.log',
} as const;

export interface StartScript {
  readonly runDir: string;
  /** To whose end it writes which process it became: where the program, once it runs, writes nothing. */
  readonly starters: string;
  /** Its words before and after the label, see `planApptainer`. */
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** Nothing of the environment of whoever asked comes along but what Apptainer needs to find itself and its user. */
export function renderStartScript({ runDir, starters, before, after }: StartScript): string {
  const at = (file: string): string => shellQuote(`${runDir}/${file}`);
  return `#!/bin/sh
# "sh ${startFiles.script}" starts it; "sh ${startFiles.script} run" is what it becomes.
set -eu
umask 022

# A process by name: its host, the boot, its number, when it started (proc_pid_stat(5)).
starter_of() {
  read -r host </proc/sys/kernel/hostname
  read -r boot </proc/sys/kernel/random/boot_id
  IFS= read -r stat </proc/"$1"/stat
  # shellcheck disable=SC2086 # what follows the name is numbers
  set -- "$1" \${stat##*) }
  echo "$host/$boot/$1/\${21}"
}

if [ "\${1:-}" != run ]; then
  setsid /bin/sh ${at(startFiles.script)} run </dev/null >>${at(startFiles.output)} 2>&1 &
  starter_of "$!"
  exit
fi

starter=$(starter_of $$)
echo "$starter" >>${shellQuote(starters)}
exec env -i PATH="\${PATH:-/usr/local/bin:/usr/bin:/bin}" HOME="\${HOME:-/}" \\
  XDG_RUNTIME_DIR="\${XDG_RUNTIME_DIR:-}" DBUS_SESSION_BUS_ADDRESS="\${DBUS_SESSION_BUS_ADDRESS:-}" \\
  ${shellLine(before)} "$starter" ${shellLine(after)}
`;
}

export function startCommand(runDir: string): Command<Starter> {
  const succeed = expectSuccess('The start of a program');
  return {
    argv: ['/bin/sh', `${runDir}/${startFiles.script}`],
    parse(result) {
      const starter = parseStarter(succeed(result).trim());
      if (starter) return starter;
      throw new UnknownOutcomeError('host.unknown_outcome', 'The start of a program did not say which process it is');
    },
  };
}
