import { createSandbox, type RunResult } from '@buddy/sandbox';

/** What it cost a host to have a text read: a process of its own, for other tests keep a thread busy too. */
export interface GateReport {
  name: string;
  status: RunResult['status'];
  message: string;
  /** Of the host's own thread, for the whole run. */
  hostCpuMs: number;
  /** The longest time between two beats, 5 ms apart. For people to read: it depends on what else the machine does. */
  blockedMs: number;
}

const SIZE = 262_144;
const many = (count: number, one: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => one(index)).join('');

const texts: Record<string, string> = {
  'exports by the thousand': many(9_000, (i) => `export let a${i};`),
  'names declared by the thousand': many(19_000, (i) => `let a${i};`),
  'names that are not there by the thousand':
    many(7_000, (i) => `let declared${i};`) + many(7_000, (i) => `undeclare${i};`),
  'groups of one name': `/${'(?<a>)|'.repeat(37_000)}(?<a>)/`,
  'Unicode properties': `/${'\\p{L}'.repeat(40_000)}/u`,
  'properties of strings': `/${'\\p{RGI_Emoji}'.repeat(18_000)}/iv`,
  'properties of strings, in TypeScript': `const a: 1 = 1; /${'\\p{RGI_Emoji}'.repeat(18_000)}/iv`,
  'very many lookbehinds, in TypeScript': `const a: 1 = 1; /${'(?<='.repeat(50_000)}${')'.repeat(50_000)}/`,
  'what SES refuses, as operators': `let i=9;${'i-->0;'.repeat(40_000)}`,
  'what SES refuses, in one regular expression': `/${'eval()'.repeat(40_000)}/`,
  'new lines': '\n'.repeat(SIZE),
  'a fence without end': '```js\n1\n'.repeat(32_000),
  'TypeScript that is read in two ways': `const a: 1 = ${'<a>('.repeat(28)}`,
  'TypeScript that is long': many(9_000, (i) => `const a${i}: number = 1;`),
};

await using sandbox = await createSandbox({
  isolation: 'session',
  limits: { maxSourceBytes: SIZE },
  osIsolation: 'off',
});
await sandbox.run('1');
await sandbox.run('const a: number = 1; a');

let last = performance.now();
let blockedMs = 0;
const beat = setInterval(() => {
  const now = performance.now();
  blockedMs = Math.max(blockedMs, now - last);
  last = now;
}, 5);
const reports: GateReport[] = [];
for (const [name, code] of Object.entries(texts)) {
  blockedMs = 0;
  const before = process.threadCpuUsage();
  const result = await sandbox.run(code);
  const { user, system } = process.threadCpuUsage(before);
  const message = 'error' in result ? result.error.message : '';
  const hostCpuMs = (user + system) / 1_000;
  reports.push({ name, status: result.status, message, hostCpuMs, blockedMs });
}
clearInterval(beat);
process.stdout.write(JSON.stringify(reports));
