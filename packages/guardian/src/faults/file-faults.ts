import { hash, randomFillSync } from 'node:crypto';
import { chown, copyFile, lstat, open, readFile, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { writeFileAtomic } from '@buddy/core';
import { z } from 'zod';
import { defineFault, type FaultTools, type OpenedFault } from './define-fault.ts';
import { FaultWitnessError } from './errors.ts';
import { AVAILABLE } from './host.ts';

const MOST_BYTES = 67_108_864;
const CAPS = { seconds: 120, bytes: MOST_BYTES };

const Changed = z.strictObject({
  path: z.string(),
  /** Where the whole original is kept. */
  original: z.string(),
  /** SHA-256 of it. */
  digest: z.string(),
});
type Changed = z.output<typeof Changed>;

/**
 * Bytes in the midst of a file are others, as after a bad block. The file is written to where it stands, as a disk would.
 * @example
 * await using fault = await kit.inject(fileCorrupt, { path: 'app.json', bytes: 16 });
 */
export const fileCorrupt = defineFault({
  kind: 'fileCorrupt',
  description: 'Bytes in the midst of a file are others.',
  options: z.strictObject({
    path: z.string().min(1),
    /** How many bytes are others. */
    bytes: z.int().positive().max(1_048_576).default(64),
    /** Where they begin. Default: in the middle. */
    at: z.int().nonnegative().optional(),
  }),
  note: Changed,
  caps: CAPS,
  capability: () => AVAILABLE,
  open: ({ path, bytes, at }, tools) =>
    changeFile(path, tools, async (file, content) => {
      const length = Math.min(bytes, content.length);
      const from = Math.min(
        at ?? Math.floor((content.length - length) / 2),
        content.length - length,
      );
      await file.write(otherBytes(content.subarray(from, from + length)), 0, length, from);
    }),
  recover: putBack,
  remains: isOther,
});

/**
 * A file ends too early, as after a crash in the midst of a write.
 * @example
 * await using fault = await kit.inject(fileTruncate, { path: 'app.json', keepBytes: 10 });
 */
export const fileTruncate = defineFault({
  kind: 'fileTruncate',
  description: 'A file ends too early.',
  options: z.strictObject({
    path: z.string().min(1),
    /** So many bytes are left. Default: the first half. */
    keepBytes: z.int().nonnegative().optional(),
  }),
  note: Changed,
  caps: CAPS,
  capability: () => AVAILABLE,
  open: ({ path, keepBytes }, tools) =>
    changeFile(path, tools, async (file, content) => {
      await file.truncate(Math.min(keepBytes ?? Math.floor(content.length / 2), content.length));
    }),
  recover: putBack,
  remains: isOther,
});

/**
 * Somebody edits a policy, and nobody released it.
 * @example
 * await using fault = await kit.inject(policyTamper, { path: 'policy.json', find: 'deny', replace: 'allow' });
 */
export const policyTamper = defineFault({
  kind: 'policyTamper',
  description: 'A policy file is edited by hand.',
  options: z.strictObject({
    path: z.string().min(1),
    /** What is replaced, wherever it stands. */
    find: z.string().min(1),
    replace: z.string(),
  }),
  note: Changed,
  caps: CAPS,
  capability: () => AVAILABLE,
  open: ({ path, find, replace }, tools) =>
    changeFile(path, tools, async (file, content) => {
      const edited = Buffer.from(content.toString('utf8').replaceAll(find, replace));
      await file.truncate(0);
      await file.write(edited, 0, edited.length, 0);
    }),
  recover: putBack,
  remains: isOther,
});

type OpenFile = Awaited<ReturnType<typeof open>>;

/** Changes a file where it stands. It is there as long as the file is not what it was. */
async function changeFile(
  given: string,
  { scratch, takeBytes }: FaultTools,
  change: (file: OpenFile, content: Buffer) => Promise<void>,
): Promise<OpenedFault<Changed, undefined>> {
  const path = resolve(given);
  const content = await readFile(path);
  if (content.length === 0) {
    throw new FaultWitnessError(`${path} is empty: there is nothing in it that could be changed.`);
  }
  const note = { path, original: join(scratch, 'original'), digest: hash('sha256', content) };
  return {
    note,
    isPresent: () => isOther(note),
    apply: async () => {
      takeBytes(content.length);
      await copyFile(path, note.original);
      const file = await open(path, 'r+');
      try {
        await change(file, content);
      } finally {
        await file.close();
      }
    },
    revert: () => putBack(note),
  };
}

/** A file that is gone is another fault, and no less one. */
async function isOther({ path, digest }: Changed): Promise<boolean> {
  const content = await readFile(path).catch(() => undefined);
  return content === undefined || hash('sha256', content) !== digest;
}

async function putBack(note: Changed): Promise<void> {
  const { path, original, digest } = note;
  if (!(await isOther(note))) return;
  const content = await readFile(original).catch(() => undefined);
  // Only a whole copy is put back: one by half means that the file was not touched yet.
  if (content === undefined || hash('sha256', content) !== digest) return;
  const kept = await stat(original);
  const there = await lstat(path).catch(() => undefined);
  // Where it stands, when it stands: so that mode, owner and links are as they were.
  if (there?.isFile() === true) await writeFile(path, content);
  else {
    await writeFileAtomic(path, content, { mode: kept.mode & 0o7777 });
    if (process.geteuid?.() === 0) await chown(path, kept.uid, kept.gid);
  }
}

/** Not one of them as it was. */
function otherBytes(bytes: Buffer): Buffer {
  const mask = randomFillSync(Buffer.alloc(bytes.length));
  return Buffer.from(bytes.map((byte, index) => byte ^ ((mask[index] ?? 0) | 1)));
}
