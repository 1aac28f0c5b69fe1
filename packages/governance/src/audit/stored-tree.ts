import type { DatabaseSync } from 'node:sqlite';
import { LedgerInconsistentError } from '../ledger/errors.ts';
import { type Frontier, frontierNodes, nodePosition, type ReadNode } from './merkle-tree.ts';

/** How many entries the log has. */
export function storedSize(database: DatabaseSync): number {
  const row = database.prepare('SELECT max(seq) AS last FROM audit_entries').get();
  const last = row?.['last'];
  return typeof last === 'number' ? last + 1 : 0;
}

/**
 * Reads nodes of the tree.
 * @throws {LedgerInconsistentError} From what it returns, when a node is missing.
 */
export function nodeReader(database: DatabaseSync): ReadNode {
  const select = database.prepare('SELECT hash FROM audit_tree WHERE position = ?');
  return (level, index) => {
    const hash = select.get(nodePosition(level, index))?.['hash'];
    if (hash instanceof Uint8Array) return hash;
    throw new LedgerInconsistentError(
      `The log's tree lacks node ${index} of level ${level}; something else than Buddy changed the database.`,
    );
  };
}

export function readFrontier(database: DatabaseSync, size: number): Frontier {
  const read = nodeReader(database);
  return { size, hashes: frontierNodes(size).map(({ level, index }) => read(level, index)) };
}
