import Type from 'typebox';

/** The table of a launcher of kind `mock` in `config/`. */
export const MockOptions = Type.Object(
  {
    /** Milliseconds once read. */
    run: Type.Integer({
      setting: { kind: 'duration', none: false },
      default: 0,
      minimum: 0,
      maximum: 86_400_000,
      description: 'How long a program runs whose message does not say it by MOCK_RUN_MS.',
    }),
    engine: Type.String({
      setting: { kind: 'path', none: false },
      default: '',
      description: 'Directory that stands for the engine; empty: one of its own.',
    }),
  },
  {
    description: 'No containers: programs that only the message describes, for development and tests.',
    additionalProperties: false,
  },
);

export type MockOptions = Type.Static<typeof MockOptions>;
