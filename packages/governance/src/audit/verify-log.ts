import type { DatabaseSync } from 'node:sqlite';
import { ApprovalsHistory } from './approvals-history.ts';
import { openReadOnly } from './audit-log.ts';
import { type Checkpoint, openCheckpoint } from './checkpoint.ts';
import { AuditProofError } from './errors.ts';
import { areEqual, EMPTY_FRONTIER, type Frontier, grow, leafHash, rootOf } from './merkle-tree.ts';
import { createNoteVerifier, type NoteVerifier } from './signed-note.ts';
import { storedSize } from './stored-tree.ts';
import { parseFields, Summary } from './summary.ts';

export interface VerifyLogOptions {
  /** The ledger's database. */
  file: string;
  /** The log's public key, `name+id+base64`: from outside, not from beside the log. */
  verifierKey: string;
  /** Checkpoints (signed notes) that were kept where whoever can write the log cannot. */
  checkpoints?: readonly string[];
}

export interface VerifyLogPorts {
  /** Told every 10 000 entries. */
  onProgress?: (progress: { checked: number; total: number }) => void;
}

export type LogProblemCode =
  | 'entry_missing'
  | 'entry_changed'
  | 'entry_misplaced'
  | 'tree_changed'
  | 'entries_cut'
  | 'checkpoint_forged'
  /** A log with entries has one from its first commit on. */
  | 'checkpoints_missing'
  | 'checkpoint_differs'
  | 'outside_checkpoint_differs'
  /** An entry tells what cannot have happened: an outcome of nothing, an approval used that nobody gave. */
  | 'entry_impossible'
  /** The card's figures, or what else is counted of entries. */
  | 'summary_differs'
  /** The table of approvals is not what the log's steps led to. */
  | 'approvals_differ';

export interface LogProblem {
  code: LogProblemCode;
  /** The entry, or for checkpoints how many entries it covers; null where it is none's. */
  seq: number | null;
  message: string;
}

export interface LogVerification {
  isIntact: boolean;
  /** How many entries were read. */
  size: number;
  /** Of the tree over them. */
  root: Uint8Array;
  /** How many checkpoints it was held against. */
  checkpoints: { stored: number; outside: number };
  /** How many of the entries an outside checkpoint covers; what came later, its holder cannot judge. */
  vouchedFor: number;
  /** The first 100. */
  problems: readonly LogProblem[];
}

/**
 * Reads every entry, computes the tree anew, and holds it against the tree that is stored, the checkpoints beside it, and
 * those that were kept outside. Computes from the entries what is kept of them: all figures of the card, intents without an
 * outcome, the kill switch, the state of each approval and who voted. Without one of those it cannot notice a log that was rewritten whole by somebody who has
 * the key, nor one cut back to an earlier checkpoint.
 * @throws {LedgerOpenError} When there is no ledger in the file.
 * @throws {AuditProofError} When the key is none, or an outside checkpoint is not signed by it.
 * @example
 * const { isIntact, problems } = await verifyLog({ file, verifierKey, checkpoints: [kept] });
 */
export async function verifyLog(
  { file, verifierKey, checkpoints = [] }: VerifyLogOptions,
  { onProgress }: VerifyLogPorts = {},
): Promise<LogVerification> {
  const verifier = createNoteVerifier(verifierKey);
  const outside = checkpoints.map((note) => openCheckpoint(note, verifier));
  const database = openReadOnly(file);
  try {
    database.exec('BEGIN'); // all at one moment, though it may be written meanwhile
    const verification = new Verification(database, verifier, outside);
    for (const checked of verification.run()) {
      onProgress?.({ checked, total: verification.total });
      await nextTurn();
    }
    return verification.result();
  } finally {
    database.close();
  }
}

const PROGRESS_ENTRIES = 10_000;
const MAX_PROBLEMS = 100;

class Verification {
  readonly total: number;
  readonly #database: DatabaseSync;
  readonly #outside: readonly Checkpoint[];
  readonly #expected: Expectations;
  readonly #nodes: Iterator<unknown>;
  readonly #summary = new Summary();
  readonly #approvals = new ApprovalsHistory();
  readonly #problems: LogProblem[] = [];
  #frontier: Frontier = EMPTY_FRONTIER;
  /** Once a leaf differs, so does all above it, and saying so again and again would say nothing. */
  #isTreeSound = true;

  constructor(database: DatabaseSync, verifier: NoteVerifier, outside: readonly Checkpoint[]) {
    this.#database = database;
    this.#outside = outside;
    this.total = storedSize(database);
    this.#expected = new Expectations(database, verifier, outside, (problem) =>
      this.#note(problem),
    );
    this.#nodes = rowsOf(database, 'SELECT hash FROM audit_tree ORDER BY position');
  }

  /** Says every so often how far it is. */
  *run(): Generator<number> {
    this.#compareRoot();
    const entries = rowsOf(
      this.#database,
      'SELECT seq, CAST(record AS BLOB) FROM audit_entries ORDER BY seq',
    );
    for (let row = entries.next(); !row.done; row = entries.next()) {
      const [seq, record] = fieldsOf(row.value);
      if (seq !== this.#frontier.size) {
        this.#note({
          code: 'entry_missing',
          seq: this.#frontier.size,
          message: `Entry ${this.#frontier.size} is missing; what comes after it cannot be judged.`,
        });
        break;
      }
      this.#checkEntry(seq, record instanceof Uint8Array ? record : new Uint8Array());
      if (this.#frontier.size % PROGRESS_ENTRIES === 0) yield this.#frontier.size;
    }
    this.#checkEnd();
  }

  result(): LogVerification {
    const { size } = this.#frontier;
    return {
      isIntact: this.#problems.length === 0,
      size,
      root: rootOf(this.#frontier),
      checkpoints: { stored: this.#expected.stored, outside: this.#outside.length },
      vouchedFor: Math.min(
        size,
        Math.max(0, ...this.#outside.map((checkpoint) => checkpoint.size)),
      ),
      problems: this.#problems,
    };
  }

  #checkEntry(seq: number, record: Uint8Array): void {
    this.#checkPlace(seq, record);
    const { frontier, added } = grow(this.#frontier, leafHash(record));
    this.#frontier = frontier;
    added.forEach((hash, level) => {
      const stored = this.#nextNode();
      if (stored && areEqual(stored, hash)) return;
      if (level === 0) {
        this.#note({
          code: 'entry_changed',
          seq,
          message: `Entry ${seq} is not the one that was written: its hash is another.`,
        });
      } else if (this.#isTreeSound) {
        this.#note({
          code: 'tree_changed',
          seq,
          message: `The stored tree is not that of the entries, at level ${level} over entry ${seq}.`,
        });
      }
      this.#isTreeSound = false;
    });
    this.#compareRoot();
  }

  #nextNode(): Uint8Array | undefined {
    const row = this.#nodes.next();
    const hash = row.done === true ? undefined : fieldsOf(row.value)[0];
    return hash instanceof Uint8Array ? hash : undefined;
  }

  /** Its own number, and what is summed up of it. */
  #checkPlace(seq: number, record: Uint8Array): void {
    const fields = parseFields(record);
    if (fields?.seq !== seq) {
      this.#note({
        code: 'entry_misplaced',
        seq,
        message: `What stands at entry ${seq} was not written as entry ${seq}.`,
      });
    }
    const impossible = this.#summary.add(seq, fields) ?? (fields && this.#approvals.add(fields));
    if (impossible !== undefined) {
      this.#note({ code: 'entry_impossible', seq, message: `Entry ${seq} ${impossible}.` });
    }
  }

  #compareRoot(): void {
    const { size } = this.#frontier;
    for (const { checkpoint, isOutside } of this.#expected.takeAt(size)) {
      if (areEqual(checkpoint.root, rootOf(this.#frontier))) continue;
      this.#note({
        code: isOutside ? 'outside_checkpoint_differs' : 'checkpoint_differs',
        seq: size,
        message: `The first ${size} entries are not those that ${isOutside ? 'the outside checkpoint' : 'a checkpoint'} was signed for.`,
      });
    }
  }

  #checkEnd(): void {
    const { size } = this.#frontier;
    for (const { checkpoint, isOutside } of this.#expected.takeRest()) {
      this.#note({
        code: 'entries_cut',
        seq: checkpoint.size,
        message: `There were ${checkpoint.size} entries when ${isOutside ? 'the outside checkpoint' : 'a checkpoint'} was signed, and there are ${size}.`,
      });
    }
    if (this.#isTreeSound && this.#nodes.next().done !== true) {
      this.#note({
        code: 'tree_changed',
        seq: null,
        message: 'The stored tree has more nodes than the entries need.',
      });
    }
    if (size > 0 && this.#expected.stored === 0) {
      this.#note({
        code: 'checkpoints_missing',
        seq: null,
        message: `There is no checkpoint beside the ${size} entries, though one is signed with the first: they were taken away.`,
      });
    }
    for (const figure of this.#summary.differencesFrom(this.#database)) {
      this.#note({
        code: 'summary_differs',
        seq: null,
        message: `What is kept of the entries is not what they say: ${figure}.`,
      });
    }
    for (const difference of this.#approvals.differencesFrom(this.#database)) {
      this.#note({
        code: 'approvals_differ',
        seq: null,
        message: `The table of approvals is not what the log says: ${difference}.`,
      });
    }
  }

  #note(problem: LogProblem): void {
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push(problem);
  }
}

interface Expectation {
  checkpoint: Checkpoint;
  isOutside: boolean;
}

/** Checkpoints in the order of what they cover, stored ones and outside ones, each handed out once. */
class Expectations {
  stored = 0;
  readonly #rows: Iterator<unknown>;
  readonly #verifier: NoteVerifier;
  readonly #onProblem: (problem: LogProblem) => void;
  #outside: readonly Checkpoint[];
  #next: Checkpoint | undefined;

  constructor(
    database: DatabaseSync,
    verifier: NoteVerifier,
    outside: readonly Checkpoint[],
    onProblem: (problem: LogProblem) => void,
  ) {
    this.#rows = rowsOf(database, 'SELECT size, note FROM audit_checkpoints ORDER BY size');
    this.#verifier = verifier;
    this.#outside = outside;
    this.#onProblem = onProblem;
    this.#next = this.#readNext();
  }

  takeAt(size: number): Expectation[] {
    return this.#take((checkpoint) => checkpoint.size <= size);
  }

  takeRest(): Expectation[] {
    return this.#take(() => true);
  }

  #take(isDue: (checkpoint: Checkpoint) => boolean): Expectation[] {
    const due: Expectation[] = [];
    for (; this.#next && isDue(this.#next); this.#next = this.#readNext()) {
      due.push({ checkpoint: this.#next, isOutside: false });
    }
    if (this.#outside.some(isDue)) {
      for (const checkpoint of this.#outside.filter(isDue))
        due.push({ checkpoint, isOutside: true });
      this.#outside = this.#outside.filter((checkpoint) => !isDue(checkpoint));
    }
    return due;
  }

  /** The next that is signed by the key and stands where it says. */
  #readNext(): Checkpoint | undefined {
    for (let row = this.#rows.next(); row.done !== true; row = this.#rows.next()) {
      const [size, note] = fieldsOf(row.value);
      this.stored += 1;
      try {
        const checkpoint = openCheckpoint(String(note), this.#verifier);
        if (checkpoint.size === size) return checkpoint;
      } catch (error) {
        if (!(error instanceof AuditProofError)) throw error;
      }
      this.#onProblem({
        code: 'checkpoint_forged',
        seq: Number(size),
        message: `The checkpoint over ${String(size)} entries is not signed by ${this.#verifier.verifierKey}.`,
      });
    }
    return undefined;
  }
}

function rowsOf(database: DatabaseSync, sql: string): Iterator<unknown> {
  const statement = database.prepare(sql);
  statement.setReturnArrays(true);
  return statement.iterate();
}

function fieldsOf(row: unknown): readonly unknown[] {
  return Array.isArray(row) ? row : [];
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
