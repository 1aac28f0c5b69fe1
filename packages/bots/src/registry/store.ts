import type { Clock, GuardedEmitter, Random } from '@buddy/core';
import { type Contents, EMPTY } from './contents.ts';
import { Draft } from './draft.ts';
import { RegistryBusyError, RegistryDamagedError, RegistryIntactError } from './errors.ts';
import type { RegistryEvents, Telling } from './events.ts';
import type { FileLock } from '@buddy/core';
import { lockFile } from './file/file-lock.ts';
import { locate } from './file/locate.ts';
import { RegistryFile, type WriteFile } from './file/registry-file.ts';

export interface StorePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly writeFile: WriteFile;
  readonly emit: GuardedEmitter<RegistryEvents>['emit'];
}

/** What a caller wants of the contents. It may be called again, on other contents, when somebody else was faster. */
type Work<Result> = (draft: Draft) => Result;

interface Waiting {
  /** Returns what to tell the caller once the write is durable. */
  readonly work: (draft: Draft) => () => void;
  readonly refuse: (error: unknown) => void;
}

/**
 * The contents of one file, shared with whoever else has it open. Reads see what was written last, by whichever process.
 * Changes that are asked for while the disk is busy are written together with the next write.
 */
export class RegistryStore {
  readonly #path: string;
  readonly #lockTimeoutMs: number;
  readonly #ports: StorePorts;
  readonly #toldOf = new Set<string>();
  #file: RegistryFile | undefined;
  #waiting: Waiting[] = [];
  #isWriting = false;

  constructor({ file, lockTimeoutMs }: { file: string; lockTimeoutMs: number }, ports: StorePorts) {
    this.#path = file;
    this.#lockTimeoutMs = lockTimeoutMs;
    this.#ports = ports;
  }

  async read(): Promise<Contents> {
    const contents = await this.#ports.clock.external(async () =>
      (await this.#located('read')).read(),
    );
    this.#tellOfMalformed(contents);
    return contents;
  }

  /** Resolves with what `work` returned, once that is durable; rejects with what it threw, and then nothing was changed. */
  change<Result>(work: Work<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        work: (draft) => {
          const result = work(draft);
          return () => resolve(result);
        },
        refuse: reject,
      });
      if (!this.#isWriting) void this.#writeAll();
    });
  }

  /** Puts an empty registry where there is none that can be read. @throws {RegistryIntactError} */
  async startOver(): Promise<void> {
    const { clock } = this.#ports;
    const tellings = await clock.external(() => this.#withLock((file) => this.#begin(file)));
    this.#tell(tellings);
  }

  async #begin(file: RegistryFile): Promise<Telling[]> {
    const tellings: Telling[] = [];
    try {
      const { generation } = await this.#readOrSetAside(file, tellings);
      if (generation > 0) throw new RegistryIntactError(file.path);
    } catch (error) {
      if (!(error instanceof RegistryDamagedError)) throw error;
    }
    await file.write({ ...EMPTY, generation: 1 });
    const at = this.#ports.clock.now();
    tellings.push((emit) => emit('startedOver', { at, file: file.path }));
    return tellings;
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      let group: readonly Waiting[] = this.#waiting;
      const tellings: Telling[] = [];
      try {
        const answer = await this.#ports.clock.external(() =>
          this.#withLock((file) => {
            group = this.#takeWaiting(); // not before: more of them wait by now
            return this.#writeGroup(file, group, tellings);
          }),
        );
        answer();
      } catch (error) {
        if (group === this.#waiting) this.#takeWaiting(); // nobody got as far as the lock
        for (const { refuse } of group) refuse(error);
      }
      this.#tell(tellings);
    }
    this.#isWriting = false;
  }

  #takeWaiting(): readonly Waiting[] {
    const group = this.#waiting;
    this.#waiting = [];
    return group;
  }

  /** With the lock. @returns What tells the callers. */
  async #writeGroup(
    file: RegistryFile,
    group: readonly Waiting[],
    tellings: Telling[],
  ): Promise<() => void> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const contents = await this.#readOrSetAside(file, tellings);
      const draft = new Draft(contents, this.#ports.clock.now());
      const answers = group.map(({ work, refuse }) => answerOf(draft, work, refuse));
      this.#tellOfMalformed(contents);
      if (draft.isChanged) {
        // The lock keeps other registries out. Who writes without it, such as a person's editor, is noticed here.
        if (file.isReplaced()) continue;
        await file.write(draft.contents(contents.generation + 1));
      }
      tellings.push(...draft.tellings);
      return () => {
        for (const answer of answers) answer();
      };
    }
    throw new RegistryBusyError(
      `Somebody who does not take its lock has written ${file.path} again and again; find out who.`,
    );
  }

  /** With the lock: what cannot be read gets out of the way of whoever puts it right, and is not lost by that. */
  async #readOrSetAside(file: RegistryFile, tellings: Telling[]): Promise<Contents> {
    try {
      return file.read();
    } catch (error) {
      if (!(error instanceof RegistryDamagedError) || !error.isInPlace) throw error;
      const at = this.#ports.clock.now();
      const setAsideAs = await file.setAside(at);
      const { reason } = error;
      tellings.push((emit) => emit('fileSetAside', { at, file: file.path, setAsideAs, reason }));
      throw new RegistryDamagedError(file.path, reason, { setAsideAs });
    }
  }

  async #withLock<Result>(work: (file: RegistryFile) => Promise<Result>): Promise<Result> {
    const file = await this.#located('write');
    const lock: FileLock = await lockFile(file.lockPath, {
      timeoutMs: this.#lockTimeoutMs,
      random: this.#ports.random,
    });
    try {
      return await work(file);
    } finally {
      lock.release();
    }
  }

  async #located(operation: 'read' | 'write'): Promise<RegistryFile> {
    if (this.#file) return this.#file;
    const path = await locate(this.#path, operation);
    return (this.#file ??= new RegistryFile(path, this.#ports.writeFile)); // another call may have been faster
  }

  #tell(tellings: readonly Telling[]): void {
    for (const telling of tellings) telling(this.#ports.emit);
  }

  #tellOfMalformed({ malformed }: Contents): void {
    for (const entry of malformed) {
      const key = JSON.stringify(entry.raw);
      if (this.#toldOf.has(key)) continue;
      this.#toldOf.add(key);
      const at = this.#ports.clock.now();
      for (const problem of entry.problems) {
        this.#ports.emit('entryMalformed', { at, ...problem });
      }
    }
  }
}

const MAX_TRIES = 5;

function answerOf(draft: Draft, work: Waiting['work'], refuse: Waiting['refuse']): () => void {
  try {
    return work(draft);
  } catch (error) {
    return () => refuse(error);
  }
}
