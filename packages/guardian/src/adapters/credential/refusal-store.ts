import { readFile } from 'node:fs/promises';
import { oneAtATime, parseOrThrow, writeFileAtomic } from '@buddy/core';
import { z } from 'zod';

/** Remembers by name which versions of a secret were refused. */
export interface RefusalStore {
  load(): Promise<readonly string[]>;
  add(version: string): Promise<void>;
  remove(version: string): Promise<void>;
}

export class MemoryRefusals implements RefusalStore {
  readonly #versions = new Set<string>();

  async load(): Promise<readonly string[]> {
    return [...this.#versions];
  }

  async add(version: string): Promise<void> {
    this.#versions.add(version);
  }

  async remove(version: string): Promise<void> {
    this.#versions.delete(version);
  }
}

const RefusalFile = z.strictObject({ refused_versions: z.array(z.string()) });

/** In a JSON file, so that no restart is a fresh chance to lock the account. Names of versions only. */
export class FileRefusals implements RefusalStore {
  readonly #path: string;
  /** Each change reads what the one before it wrote. */
  readonly #inTurn = oneAtATime();

  constructor(path: string) {
    this.#path = path;
  }

  async load(): Promise<readonly string[]> {
    let text: string;
    try {
      text = await readFile(this.#path, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
      throw error;
    }
    return parseOrThrow(RefusalFile, JSON.parse(text), this.#path).refused_versions;
  }

  add(version: string): Promise<void> {
    return this.#change((versions) => versions.add(version));
  }

  remove(version: string): Promise<void> {
    return this.#change((versions) => versions.delete(version));
  }

  #change(change: (versions: Set<string>) => unknown): Promise<void> {
    return this.#inTurn(async () => {
      const versions = new Set(await this.load());
      change(versions);
      const text = `${JSON.stringify({ refused_versions: [...versions] })}\n`;
      await writeFileAtomic(this.#path, text);
    });
  }
}
