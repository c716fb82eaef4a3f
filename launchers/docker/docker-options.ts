import Type from 'typebox';

/** How a value is written in TOML, for the reader of the configuration. */
const asPath = { setting: { kind: 'path', none: false } };
const asDuration = { setting: { kind: 'duration', none: false } };

/** The table of a launcher of kind `docker` in `config/`. */
export const DockerOptions = Type.Object(
  {
    socket: Type.String({
      ...asPath,
      default: '/var/run/docker.sock',
      description: 'Socket of the engine on this host; that of a Podman service works the same.',
    }),
    pull: Type.Enum(['missing', 'always', 'never'], {
      setting: { kind: 'choice', none: false },
      default: 'missing',
      description: 'When an image is asked for by name: look in its registry only if it is not here, always, or never.',
    }),
    network: Type.String({
      setting: { kind: 'text', none: false },
      default: 'bridge',
      description: 'Network of the engine that containers are attached to.',
    }),
    /** Milliseconds once read. */
    answer_timeout: Type.Integer({
      ...asDuration,
      default: 60_000,
      minimum: 1_000,
      maximum: 3_600_000,
      description:
        'How long one answer of the engine may take before it counts as unavailable; a pull is given up after 10 min without progress.',
    }),
  },
  { description: 'Containers of a Docker or Podman engine on this host.', additionalProperties: false },
);

export type DockerOptions = Type.Static<typeof DockerOptions>;
