import { mkdirSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type FileLock, parseOrThrow, tryLockFile, writeFileAtomic } from '@buddy/core';
import { z } from 'zod';
import type { JsonValue } from '../playbook/context.ts';

const FaultRecord = z.strictObject({
  format: z.literal(1),
  id: z.string().regex(/^[\w.-]+$/),
  kind: z.string(),
  injected_at: z.number(),
  expires_at: z.number(),
  /** Which of one kit came when: two may come in one millisecond. */
  order: z.int(),
  note: z.json(),
});
export type FaultRecord = Readonly<Omit<z.output<typeof FaultRecord>, 'note'>> & {
  readonly note: JsonValue;
};

const SUFFIX = '.fault.json';
/** A lock or a half-written record without a record is somebody's who is about to write one, or who was killed; ms. */
const STRAY_AFTER_MS = 3_600_000;

/**
 * What is broken on purpose, on disk: one file for each fault, written and synced before the fault is there, removed when it
 * is gone. Notes name files and processes, so the folder is for its user only.
 */
export class FaultJournal {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Held by who injected the fault, for as long as its process lives, however that ends. Undefined: somebody has it. */
  lock(id: string): FileLock | undefined {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    return tryLockFile(this.#lockPath(id));
  }

  /** Resolves when the record would survive a power cut. */
  async begin(record: FaultRecord): Promise<void> {
    await writeFileAtomic(this.#pathOf(record.id), `${JSON.stringify(record)}\n`, { mode: 0o600 });
  }

  /** Forgets a fault that is gone. Only by who holds its lock. */
  async end(id: string): Promise<void> {
    await rm(this.#pathOf(id), { force: true }); // first: as long as it is there, `recover` may want the copies
    await rm(this.scratchOf(id), { recursive: true, force: true });
    await rm(this.#lockPath(id), { force: true });
  }

  /** Takes away what processes left that were killed before their record was there, or after it was gone. */
  async sweep(now: number): Promise<void> {
    const ids = new Set(await this.ids());
    for (const name of await this.#names()) {
      const id = /^(?<id>.+)\.(?:lock|scratch)$/.exec(name)?.groups?.['id'];
      const isStray = id === undefined ? name.startsWith('.') : !ids.has(id);
      if (!isStray) continue;
      const path = join(this.folder, name);
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: now })); // gone by itself
      if (now - mtimeMs > STRAY_AFTER_MS) await rm(path, { recursive: true, force: true });
    }
  }

  scratchOf(id: string): string {
    return join(this.folder, `${id}.scratch`);
  }

  async makeScratch(id: string): Promise<void> {
    await mkdir(this.scratchOf(id), { recursive: true, mode: 0o700 });
  }

  /** Ids of what is broken now, or was left broken. */
  async ids(): Promise<string[]> {
    const names = await this.#names();
    return names
      .filter((name) => name.endsWith(SUFFIX) && !name.startsWith('.'))
      .map((name) => name.slice(0, -SUFFIX.length));
  }

  /**
   * @returns Undefined when it is there no more.
   * @throws {InvalidInputError} When the file is no record.
   */
  async read(id: string): Promise<FaultRecord | undefined> {
    const path = this.#pathOf(id);
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
    if (text === undefined) return undefined;
    return parseOrThrow(FaultRecordText, text, `fault record ${path}`);
  }

  async #names(): Promise<string[]> {
    return readdir(this.folder).catch((error: unknown) => {
      if (isMissing(error)) return []; // nothing was ever injected
      throw error;
    });
  }

  #pathOf(id: string): string {
    return join(this.folder, `${id}${SUFFIX}`);
  }

  #lockPath(id: string): string {
    return join(this.folder, `${id}.lock`);
  }
}

const FaultRecordText = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: 'custom', message: 'must be JSON' });
      return z.NEVER;
    }
  })
  .pipe(FaultRecord);

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
