import { createHash } from 'node:crypto';

/*
 * RFC 6962, section 2.1, word for word and nothing else: no stored nodes, no loops, no levels. Slow, and plain enough to be
 * read beside the RFC; the laws hold the package's tree against it. Its own hashing too, so that the two share no line.
 */

export type Leaves = readonly Uint8Array[];

/** 2.1: MTH(D[n]). */
export function treeHead(leaves: Leaves): Buffer {
  const [first] = leaves;
  if (first === undefined) return sha256();
  if (leaves.length === 1) return sha256(Buffer.of(0x00), first);
  const k = splitOf(leaves.length);
  return sha256(Buffer.of(0x01), treeHead(leaves.slice(0, k)), treeHead(leaves.slice(k)));
}

/** 2.1.1: PATH(m, D[n]). */
export function auditPath(m: number, leaves: Leaves): Buffer[] {
  if (leaves.length === 1) return [];
  const k = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)];
  return m < k
    ? [...auditPath(m, left), treeHead(right)]
    : [...auditPath(m - k, right), treeHead(left)];
}

/** 2.1.2: PROOF(m, D[n]), for 0 < m <= n. */
export function consistencyProof(m: number, leaves: Leaves): Buffer[] {
  return subproof(m, leaves, true);
}

/** 2.1.2: SUBPROOF(m, D[n], b). */
function subproof(m: number, leaves: Leaves, isWholeOldTree: boolean): Buffer[] {
  if (m === leaves.length) return isWholeOldTree ? [] : [treeHead(leaves)];
  const k = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)];
  return m <= k
    ? [...subproof(m, left, isWholeOldTree), treeHead(right)]
    : [...subproof(m - k, right, false), treeHead(left)];
}

/** "k be the largest power of two smaller than n (i.e., k < n <= 2k)." */
function splitOf(n: number): number {
  return 2 ** Math.floor(Math.log2(n - 1));
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part);
  return digest.digest();
}

/** The eight leaves that the reference implementation of Certificate Transparency tests with, and the root after each. */
export const KNOWN_LEAVES: Leaves = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((hex) => Buffer.from(hex, 'hex'));

/** Of the first 0, 1, 2, … of them, in hex. */
export const KNOWN_ROOTS: readonly string[] = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
