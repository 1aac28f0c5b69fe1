import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import {
  chmod,
  chown,
  copyFile,
  constants,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { backup, DatabaseSync } from 'node:sqlite';
import { type Clock, type NewId, parseOrThrow, writeFileAtomic } from '@buddy/core';
import { z } from 'zod';
import { GuardianMisuseError } from '../../errors.ts';
import { failed } from '../../probes/layers/layer.ts';
import { HEALTHY, type Reading } from '../../resource/reading.ts';
import { removeJournals, syncFolder } from './file-set.ts';
import { doFileWork } from './file-thread.ts';

const Manifest = z.object({
  id: z.string(),
  taken_at: z.iso.datetime(),
  bytes: z.int().positive(),
  sha256: z.string(),
  mode: z.int(),
  uid: z.int(),
  gid: z.int(),
});
type Manifest = z.output<typeof Manifest>;

export interface Backup {
  id: string;
  /** Ms since the epoch. */
  takenAt: number;
}

interface BackupFolderParts {
  folder: string;
  /** How many are kept. */
  keep: number;
  clock: Clock;
  newId: NewId;
}

/** Backups of one database file. One counts only when it was proved to be whole and its manifest is written. */
export class BackupFolder {
  readonly #parts: BackupFolderParts;

  constructor(parts: BackupFolderParts) {
    this.#parts = parts;
  }

  /** Copies the database while others use it, and proves the copy. */
  async take(file: string): Promise<Backup> {
    const { folder, clock, newId } = this.#parts;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const { mode, uid, gid } = await stat(file);
    const id = newId();
    const takenAt = clock.now();
    const draft = join(folder, `${id}.draft`);
    try {
      using database = new DatabaseSync(file, { readOnly: true });
      await backup(database, draft);
      const checked = await doFileWork({ do: 'check', file: draft, depth: 'full' });
      if (checked.status !== 'HEALTHY') {
        throw new GuardianMisuseError(
          `The backup of ${file} is not kept, for it is not whole: ${checked.note}`,
        );
      }
      await removeJournals(draft);
      await syncFile(draft);
      const { size: bytes } = await stat(draft);
      const manifest: Manifest = {
        id,
        taken_at: new Date(takenAt).toISOString(),
        bytes,
        sha256: await digestOf(draft),
        mode: mode & 0o777,
        uid,
        gid,
      };
      await rename(draft, this.#pathOf(id));
      await writeFileAtomic(this.#manifestOf(id), `${JSON.stringify(manifest)}\n`);
    } finally {
      await rm(draft, { force: true });
      await removeJournals(draft);
    }
    await this.#forgetOldest();
    return { id, takenAt };
  }

  /** The newest first. */
  async list(): Promise<Backup[]> {
    const names = await readdir(this.#parts.folder).catch(() => []);
    const ids = names.flatMap((name) => (name.endsWith('.json') ? [name.slice(0, -5)] : []));
    const manifests = await Promise.all(ids.map((id) => this.#read(id)));
    return manifests
      .map(({ id, taken_at: takenAt }) => ({ id, takenAt: Date.parse(takenAt) }))
      .toSorted((a, b) => b.takenAt - a.takenAt);
  }

  async find(id: string): Promise<Backup> {
    const { taken_at: takenAt } = await this.#read(id);
    return { id, takenAt: Date.parse(takenAt) };
  }

  /** Whether it is what was written, byte for byte. */
  async check(id: string): Promise<Reading> {
    const { sha256, bytes } = await this.#read(id);
    const size = (await stat(this.#pathOf(id)).catch(() => undefined))?.size;
    if (size === bytes && (await digestOf(this.#pathOf(id))) === sha256) return HEALTHY;
    return failed('backup.damaged', 'decisive', `backup ${id} is not what was written`);
  }

  /** Puts a copy in the file's place, once the copy has proved to be whole. The file's journals are removed. */
  async restore(id: string, file: string): Promise<void> {
    const manifest = await this.#read(id);
    const staged = `${file}.restoring`;
    await rm(staged, { force: true });
    await copyFile(this.#pathOf(id), staged, constants.COPYFILE_FICLONE);
    const same = (await digestOf(staged)) === manifest.sha256;
    const checked = await doFileWork({ do: 'check', file: staged, depth: 'full' });
    await removeJournals(staged);
    if (!same || checked.status !== 'HEALTHY') {
      await rm(staged);
      throw new GuardianMisuseError(
        `Backup ${id} is damaged and was not restored; nothing was changed. Take another.`,
      );
    }
    await chmod(staged, manifest.mode);
    const { uid, gid } = await stat(staged);
    if (uid !== manifest.uid || gid !== manifest.gid) {
      await chown(staged, manifest.uid, manifest.gid);
    }
    await syncFile(staged);
    await removeJournals(file);
    await rename(staged, file);
    await syncFolder(dirname(file));
  }

  async #forgetOldest(): Promise<void> {
    const old = (await this.list()).slice(this.#parts.keep);
    for (const { id } of old) {
      await rm(this.#manifestOf(id)); // first, for without it there is no backup
      await rm(this.#pathOf(id), { force: true });
    }
  }

  async #read(id: string): Promise<Manifest> {
    const path = this.#manifestOf(id);
    const text = await readFile(path, 'utf8').catch((cause: unknown) => {
      throw new GuardianMisuseError(`There is no backup ${id}: ${path} cannot be read.`, { cause });
    });
    return parseOrThrow(Manifest, JSON.parse(text), `backup manifest ${path}`);
  }

  #pathOf(id: string): string {
    return join(this.#parts.folder, `${id}.sqlite`);
  }

  #manifestOf(id: string): string {
    return join(this.#parts.folder, `${id}.json`);
  }
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
