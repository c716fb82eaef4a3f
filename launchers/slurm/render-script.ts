/** The script of a submission, from the templates of this program or the site's own. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import mustache from 'mustache';
import { InvalidError } from '../../src/errors.ts';
import { packagePath } from '../../src/lib/package-root.ts';
import { shellQuote } from '../../src/lib/shell.ts';

export interface ScriptView {
  readonly jobName: string;
  readonly comment: string;
  readonly output: string;
  /** How many executions; an array when there are several. */
  readonly count: number;
  readonly options: Readonly<Record<string, string>>;
  readonly directory: string;
}

/** No line end, quote or blank can come into an `#SBATCH` line, which no shell reads. */
const optionValue = /^[\w.,:+@/=*-]{1,200}$/;
/** Features of nodes are combined by signs of their own. */
const constraintValue = /^[\w.,:*&|()[\]-]{1,200}$/;
const optionName = /^[a-z][a-z-]{1,40}$/;
/** Slurm puts other text for "%" and "\" in file names; "%a" is the element of the array. */
const outputPath = /^\/[\w.@+/-]{1,4000}(?:%a)?\.out$/;

const partials = ['preamble'] as const;

export type Templates = (file: string) => string;

/** @param overlay - a directory whose files stand over ours; none where it is empty. */
export function createTemplates(overlay: string): Templates {
  const texts = new Map<string, string>();
  return (file) => {
    const known = texts.get(file);
    if (known !== undefined) return known;
    const text = readFirst([...(overlay === '' ? [] : [join(overlay, file)]), packagePath('slurm-templates', file)]);
    texts.set(file, text);
    return text;
  };
}

/** Throws `InvalidError` for a value that could say more to Slurm than it should. */
export function renderScript(view: ScriptView, templates: Templates): string {
  for (const [name, value] of Object.entries({ 'job-name': view.jobName, comment: view.comment, ...view.options })) {
    const pattern = name === 'constraint' ? constraintValue : optionValue;
    check(name, value, optionName.test(name) && (pattern.test(value) || name === 'comment'));
  }
  check('comment', view.comment, /^[\w. -]{1,200}$/.test(view.comment));
  check('output', view.output, outputPath.test(view.output));
  const parts = Object.fromEntries(partials.map((name) => [name, templates(`partials/${name}.mustache`)]));
  const data = {
    ...view,
    array: view.count > 1 ? `0-${view.count - 1}` : '',
    options: Object.entries(view.options).map(([name, value]) => ({ name, value })),
  };
  return mustache.render(templates('execution.sbatch.mustache'), data, parts, { escape: shellQuote });
}

function check(name: string, value: string, ok: boolean): void {
  if (ok) return;
  throw new InvalidError('actor.invalid', `Slurm option "${name}" cannot be ${JSON.stringify(value.slice(0, 200))}`);
}

function readFirst(paths: readonly string[]): string {
  for (const [index, path] of paths.entries()) {
    try {
      return readFileSync(path, 'utf8');
    } catch (thrown) {
      if (index === paths.length - 1) throw thrown;
    }
  }
  throw new Error('There is no template');
}
