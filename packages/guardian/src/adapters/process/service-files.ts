import { type FileHandle, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '@buddy/core';
import { z } from 'zod';
import type { ProcessIdentity } from '../../resource/adapters/service.ts';

const TAIL_BYTES = 8_192;

const ProcessRecord = z.object({
  pid: z.int(),
  start_time: z.string(),
  started_at: z.iso.datetime().optional(),
  release: z.string().optional(),
});

/** The release of a service that has no others. */
export const NO_RELEASE = 'only';

/** A process that was started as a service, and when (ms since the epoch), where that is known. */
export interface StartedProcess extends ProcessIdentity {
  release: string;
  startedAt: number | undefined;
}

/** What a service leaves in its folder, for a guardian that starts anew: which process it is, and what that wrote to stderr. */
export class ServiceFiles {
  readonly #folder: string;
  readonly #recordPath: string;
  readonly #stderrPath: string;

  constructor({ stateFolder, id }: { stateFolder: string; id: string }) {
    this.#folder = stateFolder;
    this.#recordPath = join(stateFolder, `${id}.json`);
    this.#stderrPath = join(stateFolder, `${id}.stderr`);
  }

  /** Forgets the process before. Answers the file for stderr of the next: no pipe, for it must be able to write when we are gone. */
  async begin(): Promise<FileHandle> {
    await mkdir(this.#folder, { recursive: true });
    // A guardian that dies before the new record is there must not leave the old one: the mark finds what has none.
    await rm(this.#recordPath, { force: true });
    return open(this.#stderrPath, 'w');
  }

  async note({
    pid,
    startTime,
    startedAt,
    release,
  }: StartedProcess & { startedAt: number }): Promise<void> {
    const record: z.input<typeof ProcessRecord> = {
      pid,
      start_time: startTime,
      started_at: new Date(startedAt).toISOString(),
      release,
    };
    await writeFileAtomic(this.#recordPath, `${JSON.stringify(record)}\n`);
  }

  /** Undefined where there is no record, or none that can be read: the mark finds what it was about. */
  async noted(): Promise<StartedProcess | undefined> {
    const text = await readFile(this.#recordPath, 'utf8').catch(() => undefined);
    const record = text === undefined ? undefined : readRecord(text);
    if (!record) return undefined;
    const startedAt = record.started_at === undefined ? undefined : Date.parse(record.started_at);
    const { pid, start_time: startTime, release = NO_RELEASE } = record;
    return { pid, startTime, release, startedAt };
  }

  async stderrTail(): Promise<string> {
    const text = await readFile(this.#stderrPath).catch(() => Buffer.alloc(0));
    return text.subarray(-TAIL_BYTES).toString('utf8');
  }
}

/** Undefined when it is none: a disk that was full, or somebody who edited it. */
function readRecord(text: string): z.output<typeof ProcessRecord> | undefined {
  try {
    return ProcessRecord.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined; // not even JSON
  }
}
