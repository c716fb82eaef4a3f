/** What a machine needs for each service, said where a test is skipped for the lack of it. */
const remedies = {
  redis: 'no redis-server on PATH; `sh scripts/setup.sh test` installs one',
  docker: 'no container engine answers; `sh scripts/setup.sh test` installs and starts one',
  mongo: 'no MongoDB: set ABACO_TEST_MONGO_URL, or let `sh scripts/setup.sh test` fetch the stand-in',
  registry: 'no docker-registry on PATH; `sh scripts/setup.sh test` installs one',
  busybox: 'no /bin/busybox to make the test image of; `sh scripts/setup.sh test` installs busybox-static',
  native: 'native/build/abaco-start is not built; `make -C native` builds it',
  compose: 'no `docker compose`; `sh scripts/setup.sh test` installs it',
  sshd: 'no sshd or ssh-keygen on this machine; `sh scripts/setup.sh test` installs them',
  agent: 'dist/abaco-agent.mjs is not bundled; `sh scripts/setup.sh test` bundles it',
  openssl: 'no openssl on PATH; `sh scripts/setup.sh test` installs it',
  agavepy: 'no .cache/python-clients; `sh scripts/setup.sh test` fetches agavepy from PyPI',
  schemathesis: 'no .cache/schemathesis/bin/schemathesis; `sh scripts/setup.sh test` installs it',
  strace: 'no strace on PATH, or tracing is not allowed; `sh scripts/setup.sh test` installs it',
};

export type ServiceName = keyof typeof remedies;

/**
 * Says whether tests that need the service can run: `describe.runIf(requireService('docker', await dockerAvailable()))`.
 * A missing one is printed with what would help; where `REQUIRE_SERVICES` names it (a list with commas, or `all`), its
 * absence is a failure.
 */
export function requireService(name: ServiceName, available: boolean): boolean {
  if (available) return true;
  const required = (process.env['REQUIRE_SERVICES'] ?? '').split(',').map((word) => word.trim());
  const sentence = `Service "${name}" is missing: ${remedies[name]}`;
  if (required.includes(name) || required.includes('all')) throw new Error(sentence);
  process.stderr.write(`skipped: ${sentence}\n`);
  return false;
}
