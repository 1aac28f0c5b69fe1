import type { DatabaseSync } from 'node:sqlite';
import { describeFailure } from '@buddy/core';
import { LedgerInconsistentError } from '../ledger/errors.ts';
import { type Checkpoint, openCheckpoint } from './checkpoint.ts';
import { areEqual, leafHash, nodeCount, rootOf } from './merkle-tree.ts';
import type { NoteVerifier } from './signed-note.ts';
import { nodeReader, readFrontier, storedSize } from './stored-tree.ts';

/** The last checkpoint that was signed, as the log keeps it. */
export function latestNote(database: DatabaseSync): string | undefined {
  const row = database
    .prepare('SELECT note FROM audit_checkpoints ORDER BY size DESC LIMIT 1')
    .get();
  return row && String(row['note']);
}

/**
 * Whether the log can go on from where it is: its last checkpoint is signed by our key and fits the tree, and the tree ends
 * with the last entry. Takes as long for a million entries as for a thousand; `verifyLog` is what reads all of them.
 * @throws {LedgerInconsistentError} When it cannot.
 */
export function checkLog(
  database: DatabaseSync,
  note: string | undefined,
  verifier: NoteVerifier,
): Checkpoint | undefined {
  const size = storedSize(database);
  checkEnd(database, size);
  if (note === undefined && size === 0) return undefined;
  if (note === undefined) {
    throw new LedgerInconsistentError(
      `The log has ${size} entries and no checkpoint, though one is signed with the first entry: they were taken away. Keep the files, and run audit verify.`,
    );
  }
  const checkpoint = openOwn(note, verifier);
  if (checkpoint.size > size) {
    throw new LedgerInconsistentError(
      `The log has ${size} entries, and was signed when it had ${checkpoint.size}: the others are gone.`,
    );
  }
  if (!areEqual(rootOf(readFrontier(database, checkpoint.size)), checkpoint.root)) {
    throw new LedgerInconsistentError(
      `The first ${checkpoint.size} entries are not those that were signed. Keep the files, and run audit verify.`,
    );
  }
  return checkpoint;
}

function openOwn(note: string, verifier: NoteVerifier): Checkpoint {
  try {
    return openCheckpoint(note, verifier);
  } catch (error) {
    throw new LedgerInconsistentError(
      `The log's last checkpoint was not signed with our key: ${describeFailure(error).message}`,
      { cause: error },
    );
  }
}

function checkEnd(database: DatabaseSync, size: number): void {
  const nodes = database.prepare('SELECT max(position) AS last FROM audit_tree').get();
  const last =
    size === 0
      ? undefined
      : database.prepare('SELECT record FROM audit_entries WHERE seq = ?').get(size - 1);
  const isWhole =
    Number(nodes?.['last'] ?? -1) + 1 === nodeCount(size) &&
    (!last ||
      areEqual(leafHash(Buffer.from(String(last['record']))), nodeReader(database)(0, size - 1)));
  if (!isWhole) {
    throw new LedgerInconsistentError(
      `The log's tree does not end with its last entry (of ${size}). Keep the files, and run audit verify.`,
    );
  }
}
