// Ends with 0 when node_modules holds exactly what package-lock.json says, and the pinned node runs. Runs on whatever
// node the machine has, before anything is installed.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const packages = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;

function isInstalled() {
  const wanted = packages('package-lock.json');
  const present = packages('node_modules/.package-lock.json');
  const current = Object.entries(wanted).every(([path, { version, optional, integrity }]) => {
    if (path === '') return true;
    const found = present[path];
    // An optional package of another platform is never installed here.
    if (found === undefined) return optional === true;
    return found.version === version && found.integrity === integrity;
  });
  if (current) execFileSync('node_modules/.bin/node', ['--version']);
  return current;
}

try {
  process.exitCode = isInstalled() ? 0 : 1;
} catch {
  process.exitCode = 1;
}
