import { chmod, mkdir, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Clock, parseOrThrow, systemClock, writeFileAtomic } from '@buddy/core';
import { z } from 'zod';
import { GuardianMisuseError } from '../../errors.ts';
import { failed } from '../../probes/layers/layer.ts';
import type { Sign } from '../../resource/adapters/probed.ts';
import type { AuditLogAdapter, GuardrailsAdapter } from '../../resource/adapters/safeguards.ts';
import { HEALTHY, type Reading } from '../../resource/reading.ts';

export const SegmentedAuditLogOptions = z.strictObject({
  /** Folders for segments, best on different disks: the first for the first one; the next one goes to the next that works. */
  folders: z.array(z.string().min(1)).min(1),
  /** File that says which segment is in use, what each continues, and the last checkpoint of each. */
  stateFile: z.string().min(1),
  /** How often probes read the whole segment, in ms. */
  verifyEveryMs: z.number().positive().default(60_000),
});
export type SegmentedAuditLogInput = z.input<typeof SegmentedAuditLogOptions>;
type SegmentedAuditLogOptions = z.output<typeof SegmentedAuditLogOptions>;

/** The end of a log as it was signed; a checkpoint of @buddy/governance fits. */
export interface AuditCheckpoint {
  size: number;
  root: Uint8Array;
  /** All of it, as others can check it. */
  note: string;
}

/** One log that is only added to; the ledger of @buddy/governance is one with a few lines around it. */
export interface AuditSegment {
  /** Where it is kept. Nobody may write them any more once it is sealed. */
  readonly files: readonly string[];
  /** Reads all of it, and holds it against checkpoints that were kept apart from it. `verifyLog` answers this. */
  verify(kept: readonly string[]): Promise<{
    isIntact: boolean;
    size: number;
    problems: readonly { message: string }[];
  }>;
  /** Adds an entry that says that somebody tried whether entries can be added; resolves with its number, from 0, once it is durable. */
  append(): Promise<number>;
  /** Signs all that is in it; null when nothing is. */
  checkpoint(): Promise<AuditCheckpoint | null>;
  close(): Promise<void>;
}

/** What a segment continues: the root is that of the last checkpoint before it, in hex. Empty: there was none. */
export interface AuditLink {
  id: string;
  root: string;
}

export interface SegmentRequest {
  id: string;
  folder: string;
  /** To be signed with the new segment: in its name, or in its first entry. */
  continues: AuditLink | undefined;
}

export interface SegmentedAuditLogPorts<Segment extends AuditSegment> {
  /** Opens a segment, or begins it when it is not there. */
  openSegment: (request: SegmentRequest) => Promise<Segment>;
  /** What denies calls. A person opens it again, never a playbook. */
  gate: Pick<GuardrailsAdapter, 'freeze' | 'isFrozen'>;
  clock?: Clock;
}

export interface SegmentedAuditLog<Segment extends AuditSegment> extends AuditLogAdapter {
  /** The segment to add to now. Ask for it anew each time: a healing begins another. */
  current(): Segment;
  /** To be called when an entry could not be added: the application is the first to notice. */
  noteAppendFailed(error: unknown): void;
  close(): Promise<void>;
}

const StoredSegment = z.strictObject({
  id: z.string(),
  folder: z.string(),
  continues: z.strictObject({ id: z.string(), root: z.string() }).nullable(),
  files: z.array(z.string()),
  checkpoint: z.strictObject({ size: z.int(), root: z.string(), note: z.string() }).nullable(),
});
type StoredSegment = z.output<typeof StoredSegment>;
/** The last one is in use. */
const State = z.strictObject({ version: z.literal(1), segments: z.array(StoredSegment).min(1) });

const WRITE_BITS = 0o222;

/**
 * An audit log in segments. When one is found to be tampered with, or cannot be added to, it is sealed for whoever looks
 * into it, and another goes on that names its last good end.
 *
 * The last checkpoint of each is kept in `stateFile`: best where whoever can write the log cannot.
 * @throws {InvalidInputError} When the options, or what is in `stateFile`, are not usable.
 * @example
 * const audit = await openSegmentedAuditLog(
 *   { folders: ['/audit', '/mnt/other/audit'], stateFile: '/state/audit.json' },
 *   { openSegment: openGovernedSegment, gate },
 * );
 */
export async function openSegmentedAuditLog<Segment extends AuditSegment>(
  input: SegmentedAuditLogInput,
  ports: SegmentedAuditLogPorts<Segment>,
): Promise<SegmentedAuditLog<Segment>> {
  const options = parseOrThrow(SegmentedAuditLogOptions, input, 'a segmented audit log');
  const text = await readFile(options.stateFile, 'utf8').catch(() => undefined);
  const stored =
    text === undefined ? [] : parseOrThrow(State, JSON.parse(text), options.stateFile).segments;
  const last = stored.at(-1);
  const request: SegmentRequest = last
    ? { ...last, continues: last.continues ?? undefined }
    : { id: nameOf(1), folder: options.folders[0] ?? '', continues: undefined };
  await mkdir(request.folder, { recursive: true });
  const segment = await ports.openSegment(request);
  const log = new Segments(options, ports, stored, segment);
  if (!last) await log.begin(request, segment);
  return log;
}

class Segments<Segment extends AuditSegment> implements SegmentedAuditLog<Segment> {
  readonly kind = 'audit_log';
  readonly #options: SegmentedAuditLogOptions;
  readonly #ports: SegmentedAuditLogPorts<Segment>;
  readonly #clock: Clock;
  #stored: readonly StoredSegment[];
  #segment: Segment;
  #verifyDueAt: number;
  #raise: ((sign: Sign) => void) | undefined;

  constructor(
    options: SegmentedAuditLogOptions,
    ports: SegmentedAuditLogPorts<Segment>,
    stored: readonly StoredSegment[],
    segment: Segment,
  ) {
    this.#options = options;
    this.#ports = ports;
    this.#clock = ports.clock ?? systemClock;
    this.#stored = stored;
    this.#segment = segment;
    this.#verifyDueAt = this.#clock.monotonic();
  }

  current(): Segment {
    return this.#segment;
  }

  async probe(signal: AbortSignal): Promise<Reading> {
    const { id } = this.#last;
    if (await this.isSealed(id)) {
      return failed('audit.not_writable', 'decisive', `nobody may write ${id}`);
    }
    if (this.#clock.monotonic() >= this.#verifyDueAt) {
      const verified = await this.verify();
      if (verified.status !== 'HEALTHY') return verified;
      await this.#keepCheckpoint();
      this.#verifyDueAt = this.#clock.monotonic() + this.#options.verifyEveryMs;
    }
    if (!(await this.isFrozen(signal))) return HEALTHY;
    const note = 'everything is denied since the log was broken, until a person opens it again';
    return { status: 'DEGRADED', signal: 'audit.frozen', note };
  }

  watch(raise: (sign: Sign) => void): () => void {
    this.#raise = raise;
    return () => {
      this.#raise = undefined;
    };
  }

  noteAppendFailed(error: unknown): void {
    const note = `an entry could not be added: ${error instanceof Error ? error.message : String(error)}`;
    this.#raise?.({ status: 'FAILED', signal: 'audit.not_writable', certainty: 'decisive', note });
  }

  async verify(_signal?: AbortSignal): Promise<Reading> {
    const { id, checkpoint } = this.#last;
    const kept = checkpoint ? [checkpoint.note] : [];
    const { isIntact, problems } = await this.#segment.verify(kept);
    if (isIntact) return HEALTHY;
    const told = problems.map(({ message }) => message).join(' ');
    return failed('audit.chain_broken', 'decisive', `${id}: ${told}`.slice(0, 1_000));
  }

  async appendCanary(_signal?: AbortSignal): Promise<Reading> {
    const seq = await this.#segment.append();
    const signed = await this.#keepCheckpoint();
    if (!signed || signed.size <= seq) {
      return failed('audit.not_writable', 'decisive', `entry ${seq} was added and is not signed`);
    }
    return this.verify();
  }

  segment(): { id: string; continues: AuditLink | undefined } {
    const { id, continues } = this.#last;
    return { id, continues: continues ?? undefined };
  }

  async isSealed(id: string): Promise<boolean> {
    const modes = await Promise.all(
      this.#find(id).files.map(async (file) => (await stat(file).catch(() => undefined))?.mode),
    );
    return modes.some((mode) => mode !== undefined && (mode & WRITE_BITS) === 0);
  }

  isFrozen(signal: AbortSignal): Promise<boolean> {
    return this.#ports.gate.isFrozen(signal);
  }

  freeze(signal: AbortSignal): Promise<void> {
    return this.#ports.gate.freeze(signal);
  }

  async seal(id: string): Promise<void> {
    const { files } = this.#find(id);
    if (id === this.#last.id) await this.#segment.close();
    for (const file of files) {
      const mode = (await stat(file).catch(() => undefined))?.mode;
      if (mode !== undefined) await chmod(file, mode & 0o777 & ~WRITE_BITS);
    }
  }

  async openSegment(after: string): Promise<void> {
    if (this.#last.id !== after) return; // there is one already
    const { checkpoint, folder } = this.#last;
    const continues = { id: after, root: checkpoint?.root ?? '' };
    const { folders } = this.#options;
    const from = folders.indexOf(folder) + 1;
    const failures: unknown[] = [];
    for (const next of [...folders.slice(from), ...folders.slice(0, from)]) {
      const request = { id: nameOf(this.#stored.length + 1), folder: next, continues };
      try {
        await mkdir(next, { recursive: true });
        const segment = await this.#ports.openSegment(request);
        await this.begin(request, segment);
        return;
      } catch (error) {
        failures.push(error);
      }
    }
    throw new GuardianMisuseError(
      `No segment can be begun in any of ${folders.join(', ')}; name one more folder.`,
      { cause: new AggregateError(failures) },
    );
  }

  /** Uses a segment that was opened from now on. */
  async begin({ id, folder, continues }: SegmentRequest, segment: Segment): Promise<void> {
    const { files } = segment;
    const stored = {
      id,
      folder,
      continues: continues ?? null,
      files: [...files],
      checkpoint: null,
    };
    await this.#store([...this.#stored, stored]);
    this.#segment = segment;
    this.#verifyDueAt = this.#clock.monotonic();
  }

  close(): Promise<void> {
    return this.#segment.close();
  }

  get #last(): StoredSegment {
    const last = this.#stored.at(-1);
    if (!last) throw new GuardianMisuseError('The audit log has no segment.');
    return last;
  }

  #find(id: string): StoredSegment {
    const found = this.#stored.find((segment) => segment.id === id);
    if (found) return found;
    throw new GuardianMisuseError(`The audit log has no segment "${id}".`);
  }

  /** Apart from the log, so that one that was written anew from its beginning shows. */
  async #keepCheckpoint(): Promise<AuditCheckpoint | null> {
    const checkpoint = await this.#segment.checkpoint();
    if (!checkpoint || checkpoint.size === this.#last.checkpoint?.size) return checkpoint;
    const { size, note } = checkpoint;
    const root = Buffer.from(checkpoint.root).toString('hex');
    const kept = { ...this.#last, checkpoint: { size, root, note } };
    await this.#store([...this.#stored.slice(0, -1), kept]);
    return checkpoint;
  }

  async #store(segments: readonly StoredSegment[]): Promise<void> {
    const { stateFile } = this.#options;
    await mkdir(dirname(stateFile), { recursive: true });
    await writeFileAtomic(stateFile, `${JSON.stringify({ version: 1, segments })}\n`);
    this.#stored = segments;
  }
}

function nameOf(number: number): string {
  return `segment-${number}`;
}
