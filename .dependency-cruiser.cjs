/**
 * The direction of imports (ARCHITECTURE.md), checked rather than hoped for:
 *
 *   lib ← errors ← { config, storage, launcher, observability } ← { actors, mailbox, executions, history, auth, events }
 *       ← workers ← api ← main
 *
 * Beside it: launchers/ stand on the contract alone, client/ speaks HTTP and knows nothing else of the service.
 * Type imports count like any other.
 */

const domains = 'actors|mailbox|executions|history|auth|events';
const grounds = 'config|storage|launcher|observability';

/** Files in the rooms `from` import nothing of ours but `own room` and what `to` allows. */
function room(name, from, allowed, comment) {
  return {
    name,
    severity: 'error',
    comment,
    from: { path: from },
    to: { path: '^(src|launchers|test|bench|scripts)/', pathNot: [from, ...allowed] },
  };
}

/** The package is imported by the files in `allowed` alone. Tests and benchmarks may import anything. */
function confined(packageName, allowed) {
  return {
    name: `only-there-${packageName}`,
    severity: 'error',
    comment: `${packageName} is known in few places, so that it can be replaced there.`,
    from: { pathNot: ['^(test|bench)/', ...allowed] },
    to: { path: `(^|/)node_modules/(@types/)?${packageName}/` },
  };
}

const lib = '^src/lib/';
const errors = '^src/errors\\.ts$';
const ground = `^src/(${grounds})/`;
const domain = `^src/(${domains})/`;

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'Two files that need each other are one file, or lack a third.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolved',
      severity: 'error',
      comment: 'The import leads nowhere.',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-dev-dependencies',
      severity: 'error',
      comment: 'The service runs where only its dependencies are installed.',
      from: { path: '^(src|launchers)/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    room('lib-imports-nothing', lib, [], 'lib/ has no domain words; it could be lifted out.'),
    room('errors-imports-lib', errors, [lib], 'Every room throws these errors, so they stand below all rooms.'),
    room('config-imports-lib-errors', '^src/config/', [lib, errors], 'A ground room knows no other ground room.'),
    room('storage-imports-lib-errors', '^src/storage/', [lib, errors, '^src/config/'], 'Connections and nothing else.'),
    room(
      'launcher-imports-lib-errors',
      '^src/launcher/',
      [lib, errors],
      'The contract knows neither stores nor rooms.',
    ),
    room(
      'observability-imports-ground',
      '^src/observability/',
      [lib, errors, '^src/config/'],
      'Logs and metrics are handed in; they ask no room.',
    ),
    room(
      'domain-imports-ground',
      domain,
      [lib, errors, ground],
      'A domain room stands on the ground rooms, not on workers or api.',
    ),
    room('workers-import-domain', '^src/workers/', [lib, errors, ground, domain], 'workers/ must run without HTTP.'),
    room(
      'api-imports-domain',
      '^src/api/',
      [lib, errors, '^src/(config|launcher|observability|workers)/', domain],
      'api/ is HTTP only: no storage/, no launchers/.',
    ),
    room(
      'client-imports-lib-errors',
      '^src/client/',
      [lib, errors],
      'The client verbs know the service by its HTTP alone.',
    ),
    room(
      'launchers-import-contract',
      '^launchers/',
      ['^src/launcher/', errors, lib],
      'A site adds a kind of launcher without reading the service.',
    ),
    {
      name: 'main-alone-imports-launchers',
      severity: 'error',
      comment: 'The service is tested with the mock launcher alone.',
      from: { path: '^src/', pathNot: '^src/main\\.ts$' },
      to: { path: '^launchers/' },
    },
    {
      name: 'launchers-are-apart',
      severity: 'error',
      comment: 'One kind imports of the others only host/ and apptainer/.',
      from: { path: '^launchers/([^/]+)/' },
      to: {
        path: '^launchers/[^/]+/',
        pathNot: '^launchers/($1|host|apptainer)/',
      },
    },
    {
      name: 'nobody-imports-tests',
      severity: 'error',
      comment: 'Tests and benchmarks are leaves.',
      from: { path: '^(src|launchers)/' },
      to: { path: '^(test|bench|scripts)/' },
    },
    {
      name: 'nobody-imports-main',
      severity: 'error',
      comment: 'main.ts and cli.ts compose the rooms; no room asks them back.',
      from: { path: '^(src/[^/]+/|launchers/)' },
      to: { path: '^src/(main|cli)\\.ts$' },
    },
    {
      name: 'cli-imports-when-called',
      severity: 'error',
      comment: 'A verb of the client starts fast: what it does not need is imported by the command that does.',
      from: { path: '^src/cli\\.ts$' },
      to: {
        path: '^(src|launchers)/',
        pathNot: [lib, errors, '^src/client/'],
        dynamic: false,
        dependencyTypesNot: ['type-only'],
      },
    },
    confined('ioredis', ['^src/storage/', '^src/mailbox/', '^src/.+(/|-)store\\.ts$']),
    confined('mongodb', ['^src/storage/', '^src/.+/mongo-.+\\.ts$']),
    confined('dockerode', ['^launchers/docker/']),
    confined('ssh2', ['^launchers/host/']),
    confined('node-pty', ['^launchers/host/']),
    confined('ldapts', ['^src/auth/']),
    confined('jose', ['^src/auth/']),
    confined('fastify', ['^src/api/']),
    confined('@fastify', ['^src/api/']),
    confined('fastify-plugin', ['^src/api/']),
    confined('commander', ['^src/cli\\.ts$', '^src/cli/', '^src/client/']),
  ],
  options: {
    // scripts/typescript-for-layers.ts says which TypeScript this is.
    parser: 'tsc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.json', '.d.ts'],
    },
    combinedDependencies: false,
  },
};
