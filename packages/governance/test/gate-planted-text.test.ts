import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { KEPT, openPlanted, PLANTED, PLANTED_POLICY, planters } from './gate/planted.ts';

const CHILD = fileURLToPath(new URL('gate/planting-child.ts', import.meta.url));
const HUNDREDS_BEFORE_KILL = 10;
const KILLS = 2;
const CALLS_AFTER = 1_024;
const WORKERS = 32;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'planted-'));
  await writeFile(join(folder, 'policy.yaml'), PLANTED_POLICY);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Each way in which a text may stand in a file. */
function writtenAs(text: string): Buffer[] {
  const bytes = Buffer.from(text);
  const shifted = ['', '.', '..'].map((before) => {
    const whole = Buffer.from(`${before}${text}`).toString('base64');
    return Buffer.from(whole.slice(4, -4)); // what is the same wherever in a longer text it begins
  });
  const hex = bytes.toString('hex');
  const wide = Buffer.from(text, 'utf16le');
  return [bytes, wide, Buffer.from(hex), Buffer.from(hex.toUpperCase()), ...shifted];
}

function filesWith(text: string): string[] {
  const needles = writtenAs(text);
  return readdirSync(folder).filter((name) => {
    const content = readFileSync(join(folder, name));
    return needles.some((needle) => content.includes(needle));
  });
}

/** `kill -9`, in the middle of calls, once it has said that it made so many. */
async function killWhilePlanting(seed: number): Promise<void> {
  const parameters = ['--conditions=@buddy/source', CHILD, folder, String(seed)];
  const child: ChildProcess = spawn(process.execPath, parameters, {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let hundreds = 0;
  const ended = once(child, 'close');
  child.stdout?.on('data', (said: Buffer) => {
    hundreds += said.length;
    if (hundreds >= HUNDREDS_BEFORE_KILL) child.kill('SIGKILL');
  });
  const [, signal] = await ended;
  if (signal !== 'SIGKILL') throw new Error('It ended by itself');
}

it('what is planted in arguments, results, errors, reasons and contexts is nowhere on the disk, also after crashes', async () => {
  for (let seed = 1; seed <= KILLS; seed += 1) {
    await killWhilePlanting(seed);
    expect(filesWith(PLANTED)).toEqual([]); // with the write-ahead log as the crash left it
  }
  expect(readdirSync(folder)).toContain('governance.db-wal');
  const governance = await openPlanted(folder, (line) =>
    appendFileSync(join(folder, 'service.log'), line),
  );
  const plant = await planters(governance, 99);
  const worker = async (calls: number): Promise<void> => {
    for (let made = 0; made < calls; made += 1) await plant();
  };
  await Promise.all(Array.from({ length: WORKERS }, () => worker(CALLS_AFTER / WORKERS)));
  expect(filesWith(PLANTED)).toEqual([]);
  const kinds = new Set<string>();
  for (const decision of ['allow', 'deny', 'approve'] as const) {
    for (const entry of governance.audit.query({ decision, limit: 1_000 }).entries) {
      if (entry.kind === 'intent' || entry.kind === 'refusal') kinds.add(entry.reasonCode);
    }
  }
  const { executed } = governance.coverage();
  expect(executed[1] + executed[2] + executed[3]).toBeGreaterThan(CALLS_AFTER / 5);
  await governance.close();
  expect(filesWith(PLANTED)).toEqual([]);
  expect(filesWith(KEPT)).toEqual(['governance.db']); // so it would have been found
  // All of this was tried, or nothing would have been shown.
  expect([...kinds].toSorted()).toEqual([
    'APPROVAL_DENIED',
    'CALL_ABORTED',
    'CALL_INVALID',
    'INPUT_MISFIT',
    'INPUT_UNSAFE',
    'LIMIT_REACHED',
    'NO_RULE_ALLOWS',
    'POLICY_ALLOWED',
    'POLICY_APPROVAL_REQUIRED',
    'POLICY_BLOCKED',
    'UNDO_OF_DONE',
  ]);
}, 120_000);
