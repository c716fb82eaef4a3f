import Type from 'typebox';
import { buildsSetting } from '../apptainer/apptainer-options.ts';
import { hostSettings } from '../host/host-options.ts';

const setting = (kind: 'path' | 'text' | 'duration' | 'integer') => ({ setting: { kind, none: false } });

const word = (description: string) =>
  Type.String({ ...setting('text'), default: '', pattern: '^[\\w.+-]*$', description });

/** The table of a launcher of kind `slurm` in `config/`. */
export const SlurmOptions = Type.Object(
  {
    ...hostSettings,
    partition: word('Partition of jobs that name none; empty is the default of Slurm.'),
    account: word('Account of jobs that name none; empty is the default of their user.'),
    qos: word('Quality of service of jobs that name none; empty is the default of Slurm.'),
    walltime: Type.Integer({
      ...setting('duration'),
      default: 600_000,
      minimum: 60_000,
      maximum: 30 * 86_400_000,
      description: 'Time limit of jobs whose actor names none.',
    }),
    margin: Type.Integer({
      ...setting('duration'),
      default: 60_000,
      minimum: 0,
      maximum: 3_600_000,
      description: 'How long before the end of its walltime a program is told to end.',
    }),
    mpi: word('What --mpi of srun gets for programs of several tasks, as pmix; empty is the default of Slurm.'),
    gpus: Type.Enum(['none', 'nvidia', 'amd'], {
      setting: { kind: 'choice', none: false },
      default: 'nvidia',
      description: 'Whose GPUs its nodes have, for Apptainer; "none" refuses actors that ask for any.',
    }),
    learn: Type.Integer({
      ...setting('duration'),
      default: 600_000,
      minimum: 1_000,
      maximum: 86_400_000,
      description:
        'How old may be what is known of its partitions, accounts and limits before they are asked for again.',
    }),
    poll: Type.Integer({
      ...setting('duration'),
      default: 5_000,
      minimum: 200,
      maximum: 3_600_000,
      description: 'How often Slurm is asked about all jobs together, while there are any.',
    }),
    poll_as: Type.String({
      ...setting('text'),
      default: '',
      pattern: '^[\\w.-]*$',
      description:
        'The account that asks, and sees the jobs of all; empty is "user". "owners" asks as each user who has jobs, where the site shows nobody the jobs of others.',
    }),
    accounting: Type.Integer({
      ...setting('duration'),
      default: 15_000,
      minimum: 0,
      maximum: 600_000,
      description:
        'How long after its end the accounting of Slurm is asked for what it has about an execution, which ends without it; twice "poll" where that is longer; 0 does without.',
    }),
    keep: Type.Integer({
      ...setting('duration'),
      default: 604_800_000,
      minimum: 0,
      maximum: 31_536_000_000,
      description: 'How long run directories stay whose actor asks for that ("keepScratch").',
    }),
    burst: Type.Integer({
      ...setting('duration'),
      default: 200,
      minimum: 0,
      maximum: 60_000,
      description: 'Executions of one actor that come within this time are handed over together, as an array.',
    }),
    max_array: Type.Integer({
      ...setting('integer'),
      default: 1_000,
      minimum: 1,
      maximum: 100_000,
      description: 'Most elements of one array; never more than the cluster says it takes.',
    }),
    late: Type.Integer({
      ...setting('duration'),
      default: 15_000,
      minimum: 0,
      maximum: 3_600_000,
      description: 'How long the shared file system may show late what a job wrote before its end.',
    }),
    architecture: Type.Enum(['amd64', 'arm64', 'ppc64le'], {
      setting: { kind: 'choice', none: false },
      default: 'amd64',
      description: 'What its nodes are, as registries call it.',
    }),
    build_on: Type.Enum(['login', 'job'], {
      setting: { kind: 'choice', none: false },
      default: 'login',
      description: 'Where images are built: on the login node, or as a job of the account that keeps them.',
    }),
    build_time: Type.Integer({
      ...setting('duration'),
      default: 3_600_000,
      minimum: 60_000,
      maximum: 86_400_000,
      description: 'Time limit of such a job.',
    }),
    builds: buildsSetting,
    engine: Type.String({
      ...setting('path'),
      default: '',
      description:
        'Socket of an engine beside the service whose images may be uploaded, as "docker-daemon:NAME"; empty is none.',
    }),
    templates: Type.String({
      ...setting('path'),
      default: '',
      description: 'Directory with templates of the site, over those of slurm-templates/.',
    }),
  },
  { description: 'Jobs of a Slurm cluster, reached through its login node.', additionalProperties: false },
);

export type SlurmOptions = Type.Static<typeof SlurmOptions>;
