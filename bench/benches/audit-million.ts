import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '../../packages/core/src/index.ts';
import {
  type AuditedLedger,
  type AuditLog,
  auditLogOf,
  createNoteVerifier,
  openLedger,
  verifyInclusionProof,
  verifyLog,
  type VerifyLogOptions,
} from '../../packages/governance/src/index.ts';
import { openCheckpoint } from '../../packages/governance/src/audit/checkpoint.ts';
import { isIncluded, leafHash } from '../../packages/governance/src/audit/merkle-tree.ts';
import { parseInclusionProof } from '../../packages/governance/src/audit/tlog-proof.ts';
import type { Figure } from '../measure/figure.ts';
import { summary } from '../measure/rounds.ts';
import { intentOf, outcomeOf, refusalOf } from './audit-entries.ts';

const ENTRIES = 1_000_000;
const ENTRIES_PER_WRITE = 1_000;
const PROOFS = 2_000;
const CARDS = 500;
const PAGES = 200;
const VERIFICATIONS = 3;

/** What a log of a million entries costs those who look at it. */
export async function measureAuditMillion(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'buddy-bench-audit-'));
  const file = join(folder, 'governance.db');
  const ledger = openLedger({ file });
  try {
    const startedAt = performance.now();
    await fill(ledger);
    const fillMs = performance.now() - startedAt;
    const checkpoint = await ledger.checkpoint();
    const { verifierKey } = ledger;
    const log = auditLogOf(ledger);
    const verified = await timeVerifying({
      file,
      verifierKey,
      checkpoints: checkpoint ? [checkpoint.note] : [],
    });
    const openedMs = await timeOpening(file);
    return [
      {
        name: 'all verified: entries, tree, checkpoints',
        unit: 's',
        ...summary(verified.map(({ wallMs }) => wallMs / 1000)),
        target: { is: 'at most', value: 15 },
      },
      {
        name: 'the same, time on the processor',
        unit: 's',
        ...summary(verified.map(({ cpuMs }) => cpuMs / 1000)),
      },
      ...proofs(log, verifierKey),
      {
        name: 'the card, p50',
        unit: 'ms',
        ...msOf(CARDS, () => log.card(Date.now())),
        target: { is: 'at most', value: 1 },
      },
      {
        name: 'a page of 50 by actor, p50',
        unit: 'ms',
        ...msOf(PAGES, (nth) => log.query({ actor: `agent-${nth % 64}` })),
      },
      {
        name: 'a page of 50 by action, tier and decision, p50',
        unit: 'ms',
        ...msOf(PAGES, (nth) =>
          log.query({
            action: `crm.contacts.action_${(nth * 2) % 40}`,
            tier: 2,
            decision: 'allow',
          }),
        ),
      },
      {
        name: "by action and decision, where none of the action's 25 000 entries fits, p50",
        unit: 'ms',
        ...msOf(5, (nth) =>
          log.query({ action: `crm.contacts.action_${(nth * 10 + 9) % 40}`, decision: 'allow' }),
        ),
      },
      { name: 'opening it', unit: 'ms', measured: openedMs },
      { name: 'appending all of them, 1000 a write', unit: 's', measured: fillMs / 1000 },
    ];
  } finally {
    await ledger.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Of ten entries, four intents with their outcomes, and two refusals. */
async function fill(ledger: AuditedLedger): Promise<void> {
  for (let first = 0; first < ENTRIES; first += ENTRIES_PER_WRITE) {
    await ledger.write((transaction) => {
      for (let nth = first; nth < first + ENTRIES_PER_WRITE; nth += 10) {
        for (let pair = 0; pair < 8; pair += 2) {
          const { seq } = transaction.append(intentOf(nth + pair));
          transaction.append(outcomeOf(nth + pair, seq));
        }
        transaction.append(refusalOf(nth + 8));
        transaction.append(refusalOf(nth + 9));
      }
    });
  }
}

function proofs(log: AuditLog, verifierKey: string): Figure[] {
  const random = seededRandom(6962);
  const verifier = createNoteVerifier(verifierKey);
  const made = Array.from({ length: PROOFS }, () => {
    const seq = Math.floor(random() * ENTRIES);
    const [record, proof] = [log.record(seq), log.proveInclusion(seq)];
    const { index, path, checkpoint } = parseInclusionProof(proof);
    const { size, root } = openCheckpoint(checkpoint, verifier);
    return { seq, record, proof, index, path, size, root };
  });
  return [
    {
      name: 'an inclusion proof verified against a checkpoint that was, p50',
      unit: 'us',
      ...usOf(made, ({ record, ...claim }) => {
        if (!isIncluded({ ...claim, leaf: leafHash(Buffer.from(record)) })) throw new Error('no');
      }),
      target: { is: 'at most', value: 50 },
    },
    {
      name: 'the same as a file, with its signature, p50',
      unit: 'us',
      ...usOf(made, ({ proof, record }) => verifyInclusionProof(proof, record, verifier)),
    },
    {
      name: 'an inclusion proof made, p50',
      unit: 'us',
      ...usOf(made, ({ seq }) => log.proveInclusion(seq)),
    },
  ];
}

interface Verified {
  wallMs: number;
  /** On a machine that does other things too, the more telling one. */
  cpuMs: number;
}

async function timeVerifying(options: VerifyLogOptions): Promise<Verified[]> {
  const rounds: Verified[] = [];
  for (let round = 0; round < VERIFICATIONS; round += 1) {
    const startedAt = performance.now();
    const before = process.cpuUsage();
    const { isIntact, size } = await verifyLog(options);
    const { user, system } = process.cpuUsage(before);
    rounds.push({ wallMs: performance.now() - startedAt, cpuMs: (user + system) / 1000 });
    if (!isIntact || size !== ENTRIES) throw new Error(`The log of ${size} entries is not intact`);
  }
  return rounds;
}

/** Beside the one that is open: another process's start. */
async function timeOpening(file: string): Promise<number> {
  const startedAt = performance.now();
  const second = openLedger({ file });
  const ms = performance.now() - startedAt;
  await second.close();
  return ms;
}

function msOf(times: number, work: (nth: number) => unknown): ReturnType<typeof summary> {
  return summary(
    timesOf(
      Array.from({ length: times }, (_, nth) => nth),
      work,
    ),
  );
}

function usOf<T>(over: readonly T[], work: (one: T) => unknown): ReturnType<typeof summary> {
  return summary(timesOf(over, work).map((ms) => ms * 1000));
}

function timesOf<T>(over: readonly T[], work: (one: T) => unknown): number[] {
  return over.map((one) => {
    const startedAt = performance.now();
    work(one);
    return performance.now() - startedAt;
  });
}
