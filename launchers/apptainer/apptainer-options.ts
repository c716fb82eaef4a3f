import Type from 'typebox';
import { hostSettings } from '../host/host-options.ts';

const setting = (kind: 'path' | 'text' | 'duration' | 'flag' | 'integer') => ({ setting: { kind, none: false } });

/** Of every kind that builds images. */
export const buildsSetting = Type.Integer({
  ...setting('integer'),
  default: 2,
  minimum: 1,
  maximum: 100,
  description: 'Most images that each supervisor builds at once, one of each tenant; further ones wait.',
});

/** The table of a launcher of kind `apptainer` in `config/`. */
export const ApptainerOptions = Type.Object(
  {
    ...hostSettings,
    host: Type.String({
      ...setting('text'),
      default: '',
      pattern: '^[A-Za-z0-9.:-]*$',
      description: 'Machine that programs run on, behind SSH; empty is this one.',
    }),
    user: Type.String({
      ...setting('text'),
      default: '',
      pattern: '^([A-Za-z_][A-Za-z0-9_.-]*)?$',
      description: 'Account the service comes in with; on this machine it is its own.',
    }),
    key_file: Type.String({ ...setting('path'), default: '', description: 'Private key of that account.' }),
    known_hosts_file: Type.String({
      ...setting('path'),
      default: '',
      description: 'Keys the machine is known by, as in known_hosts of OpenSSH. Another key is never taken.',
    }),
    become: Type.Boolean({
      ...setting('flag'),
      default: true,
      description:
        'Whether the account becomes the owner of an actor by "sudo -n -u"; on this machine, otherwise, all programs run as the account of the service.',
    }),
    directory: Type.String({
      setting: { kind: 'text', none: false, expects: 'an absolute path of the host, or nothing' },
      default: '',
      pattern: '^(/.*)?$',
      description:
        'Directory of the account which users read: images, the helper, the agent. Empty is the data directory, on this machine.',
    }),
    work: Type.String({
      ...setting('text'),
      default: '',
      pattern: '^(/.*\\{username\\}.*)?$',
      description: "Directory for what runs; {username} stands for the owner's account.",
    }),
    program: Type.String({
      ...setting('text'),
      default: 'apptainer',
      pattern: '^(/[\\w./-]+|[\\w-]+)$',
      description: 'Apptainer, by name or by path.',
    }),
    builds: buildsSetting,
    engine: Type.String({
      ...setting('path'),
      default: '',
      description:
        'Socket of an engine beside the service whose images may be uploaded, as "docker-daemon:NAME"; empty is none.',
    }),
    gpus: Type.Enum(['none', 'nvidia', 'amd'], {
      setting: { kind: 'choice', none: false },
      default: 'none',
      description: 'Whose devices and libraries programs see: "nvidia" by --nv, "amd" by --rocm.',
    }),
    poll: Type.Integer({
      ...setting('duration'),
      default: 2_000,
      minimum: 100,
      maximum: 3_600_000,
      description: 'How often it is looked whether processes are still there, for all together.',
    }),
    architecture: Type.Enum(['amd64', 'arm64', 'ppc64le'], {
      setting: { kind: 'choice', none: false },
      default: 'amd64',
      description: 'What the machine is, as registries call it.',
    }),
  },
  { description: 'Apptainer on this machine, or on one behind SSH.', additionalProperties: false },
);

export type ApptainerOptions = Type.Static<typeof ApptainerOptions>;
