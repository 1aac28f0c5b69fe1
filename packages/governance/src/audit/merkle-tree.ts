import { hash } from 'node:crypto';

/*
 * The Merkle tree of RFC 6962, section 2.1, with SHA-256. A node is named by its level (0: leaves) and its index within the
 * level; only complete subtrees have a node. Sizes are plain numbers, exact up to 2^53.
 */

export const HASH_BYTES = 32;

/** The root of the tree without leaves. */
const EMPTY_ROOT: Uint8Array = sha256(new Uint8Array());

/** Of a leaf: SHA-256(0x00 || data). */
export function leafHash(data: Uint8Array): Uint8Array {
  const prefixed = Buffer.allocUnsafe(data.length + 1);
  prefixed[0] = 0;
  prefixed.set(data, 1);
  return sha256(prefixed);
}

/** Filled anew by each call of `nodeHash`, which is the most frequent of all. */
const pair = Buffer.alloc(1 + 2 * HASH_BYTES, 1);

/** Of a node with two children: SHA-256(0x01 || left || right). */
function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  pair.set(left, 1);
  pair.set(right, 1 + HASH_BYTES);
  return sha256(pair);
}

function sha256(data: Uint8Array): Uint8Array {
  return hash('sha256', data, 'buffer');
}

/** The complete subtrees that a tree of some size is made of, largest first: all that is needed to let it grow. */
export interface Frontier {
  readonly size: number;
  readonly hashes: readonly Uint8Array[];
}

export const EMPTY_FRONTIER: Frontier = { size: 0, hashes: [] };

/** The levels and indices of a frontier's nodes. */
export function frontierNodes(size: number): { level: number; index: number }[] {
  const nodes: { level: number; index: number }[] = [];
  let level = 0;
  for (let left = size; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) nodes.unshift({ level, index: left - 1 });
    level += 1;
  }
  return nodes;
}

/** The tree with one more leaf, and the nodes that are complete now: the leaf first, then its ancestors. */
export function grow(
  { size, hashes }: Frontier,
  leaf: Uint8Array,
): { frontier: Frontier; added: Uint8Array[] } {
  const rest = hashes.slice();
  const added = [leaf];
  let last = leaf;
  for (let count = size; count % 2 === 1; count = Math.floor(count / 2)) {
    const left = rest.pop();
    if (!left) throw new RangeError(`A tree of ${size} leaves has more subtrees than were given`);
    last = nodeHash(left, last);
    added.push(last);
  }
  rest.push(last);
  return { frontier: { size: size + 1, hashes: rest }, added };
}

export function rootOf({ hashes }: Frontier): Uint8Array {
  return (
    hashes.reduceRight<Uint8Array | undefined>(
      (right, left) => (right ? nodeHash(left, right) : left),
      undefined,
    ) ?? EMPTY_ROOT
  );
}

/**
 * Where a node stands among all nodes when each is written as soon as it is complete: the complete subtrees within the
 * leaves before the node's last one, then those that end with that leaf, from below. So the nodes of a growing tree are
 * only ever added at the end.
 */
export function nodePosition(level: number, index: number): number {
  const lastLeaf = (index + 1) * 2 ** level - 1;
  return nodeCount(lastLeaf) + level;
}

/** How many nodes a tree of `size` leaves has. */
export function nodeCount(size: number): number {
  let count = 0;
  for (let left = size; left > 0; left = Math.floor(left / 2)) count += left;
  return count;
}

export type ReadNode = (level: number, index: number) => Uint8Array;

/** MTH(D[start:end]) of RFC 6962, section 2.1; `start` is a multiple of the next power of two of the length. */
function rangeHash(read: ReadNode, start: number, end: number): Uint8Array {
  const size = end - start;
  if (size === 0) return EMPTY_ROOT;
  const left = largestPowerBelow(size);
  if (left * 2 === size || size === 1) return read(Math.round(Math.log2(size)), start / size);
  return nodeHash(rangeHash(read, start, start + left), rangeHash(read, start + left, end));
}

/** PATH(m, D[n]) of RFC 6962, section 2.1.1: from the leaf's sibling up. O(log n) reads. */
export function inclusionPath(read: ReadNode, index: number, size: number): Uint8Array[] {
  const path: Uint8Array[] = [];
  let start = 0;
  let end = size;
  while (end - start > 1) {
    const middle = start + largestPowerBelow(end - start);
    if (index < middle) {
      path.unshift(rangeHash(read, middle, end));
      end = middle;
    } else {
      path.unshift(rangeHash(read, start, middle));
      start = middle;
    }
  }
  return path;
}

/** PROOF(m, D[n]) of RFC 6962, section 2.1.2: that the first `oldSize` of `size` leaves are what they were. */
export function consistencyPath(read: ReadNode, oldSize: number, size: number): Uint8Array[] {
  if (oldSize === 0 || oldSize === size) return [];
  const path: Uint8Array[] = [];
  let start = 0;
  let end = size;
  // Down to the subtree that ends where the old tree did.
  while (oldSize !== end) {
    const middle = start + largestPowerBelow(end - start);
    if (oldSize <= middle) {
      path.unshift(rangeHash(read, middle, end));
      end = middle;
    } else {
      path.unshift(rangeHash(read, start, middle));
      start = middle;
    }
  }
  // The verifier knows that subtree only when it is the whole old tree.
  if (start > 0) path.unshift(rangeHash(read, start, end));
  return path;
}

interface InclusionClaim {
  index: number;
  leaf: Uint8Array;
  path: readonly Uint8Array[];
  size: number;
  root: Uint8Array;
}

/** Whether the path leads from the leaf to the root, by the algorithm of RFC 9162, section 2.1.3.2. */
export function isIncluded({ index, leaf, path, size, root }: InclusionClaim): boolean {
  if (index >= size) return false;
  let node = index;
  let last = size - 1;
  let reached = leaf;
  for (const sibling of path) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      reached = nodeHash(sibling, reached);
      while (node % 2 === 0 && node > 0) {
        node = Math.floor(node / 2);
        last = Math.floor(last / 2);
      }
    } else {
      reached = nodeHash(reached, sibling);
    }
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && areEqual(reached, root);
}

interface ConsistencyClaim {
  oldSize: number;
  oldRoot: Uint8Array;
  path: readonly Uint8Array[];
  size: number;
  root: Uint8Array;
}

/** Whether the larger tree begins with the smaller, by the algorithm of RFC 9162, section 2.1.4.2. */
export function isConsistent({ oldSize, oldRoot, path, size, root }: ConsistencyClaim): boolean {
  if (oldSize > size) return false;
  if (oldSize === 0) return path.length === 0 && areEqual(oldRoot, EMPTY_ROOT);
  if (oldSize === size) return path.length === 0 && areEqual(oldRoot, root);
  const isWholeSubtree = largestPowerBelow(oldSize + 1) === oldSize;
  const [first, ...rest] = isWholeSubtree ? [oldRoot, ...path] : path;
  if (!first || path.length === 0) return false;
  let node = oldSize - 1;
  let last = size - 1;
  while (node % 2 === 1) {
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  let oldReached = first;
  let reached = first;
  for (const sibling of rest) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      oldReached = nodeHash(sibling, oldReached);
      reached = nodeHash(sibling, reached);
      while (node % 2 === 0 && node > 0) {
        node = Math.floor(node / 2);
        last = Math.floor(last / 2);
      }
    } else {
      reached = nodeHash(reached, sibling);
    }
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && areEqual(oldReached, oldRoot) && areEqual(reached, root);
}

/** The largest power of two that is smaller than `size`; 1 for 1. */
function largestPowerBelow(size: number): number {
  let power = 1;
  while (power * 2 < size) power *= 2;
  return power;
}

export function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
