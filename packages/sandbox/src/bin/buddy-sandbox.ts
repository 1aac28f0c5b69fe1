#!/usr/bin/env node
import { readFileSync } from 'node:fs';

// Nothing else is imported before the version is known: on an older Node the sandbox does not even load.
const { version, engines } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
);
const needed = String(engines.node).replace('>=', '');

if (isOlder(process.versions.node, needed)) {
  process.stderr.write(
    `buddy-sandbox needs Node >= ${needed}; this is Node ${process.versions.node}. Install a newer one.\n`,
  );
  process.exitCode = 1;
} else {
  const { runCommand } = await import('./run-command.ts');
  process.exitCode = await runCommand(process.argv.slice(2), version);
}

function isOlder(node: string, minimum: string): boolean {
  const [major = 0, minor = 0] = node.split('.').map(Number);
  const [leastMajor = 0, leastMinor = 0] = minimum.split('.').map(Number);
  return major < leastMajor || (major === leastMajor && minor < leastMinor);
}
