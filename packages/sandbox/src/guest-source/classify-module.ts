import type { GateViolationType } from './guest-source.ts';

const network = [
  'net http http2 https tls dgram dns inet undici axios got needle request requests superagent node-fetch ws',
  'socket.io socket.io-client socket urllib urllib2 urllib3 httpx aiohttp ftplib smtplib nodemailer ssh2',
];
const subprocess = [
  'child_process cluster worker_threads execa shelljs cross-spawn node-pty zx subprocess multiprocessing pty',
];
const filesystem = [
  'fs sqlite fs-extra graceful-fs memfs glob rimraf mkdirp better-sqlite3 sqlite3 shutil pathlib tempfile',
];

const knownModules = new Map<string, GateViolationType>([
  ...wordsOf(network).map((name) => [name, 'NETWORK_ACCESS_ATTEMPT'] as const),
  ...wordsOf(subprocess).map((name) => [name, 'SUBPROCESS_ATTEMPT'] as const),
  ...wordsOf(filesystem).map((name) => [name, 'FILESYSTEM_ATTEMPT'] as const),
]);

/**
 * What an import that is not allowed was after, by the well-known names of Node, npm and Python. All others are an
 * `IMPORT_ALLOWLIST_VIOLATION`. For `require` traps as much as for `import`.
 * @example
 * classifyModule('node:fs/promises'); // 'FILESYSTEM_ATTEMPT'
 */
export function classifyModule(specifier: string): GateViolationType {
  const [name = ''] = specifier.replace(/^node:/, '').split('/');
  return knownModules.get(name) ?? 'IMPORT_ALLOWLIST_VIOLATION';
}

function wordsOf(lines: readonly string[]): string[] {
  return lines.flatMap((line) => line.split(' '));
}
