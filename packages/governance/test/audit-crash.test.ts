import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLedger } from '@buddy/governance';
import { type Random, seededRandom } from '@buddy/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Acknowledged, Writer } from './audit/crash/killed-writers.ts';
import { treeHead } from './audit/rfc6962-reference.ts';

/** The nightly run has 200. */
const KILLS = Number(process.env['BUDDY_KILLS'] ?? 10);
/** Then another log is begun: each check reads all of it. */
const KILLS_PER_LOG = 10;
const TOGETHER = 2;
const SECONDS_PER_KILL = 20;

describe('a log whose writers are killed', () => {
  it(
    `keeps all that was acknowledged, through ${KILLS} kills of ${TOGETHER} processes at a time`,
    async () => {
      const random = seededRandom(6962);
      let acknowledged = 0;
      for (let kill = 0; kill < KILLS; kill += KILLS_PER_LOG) {
        acknowledged += await killWriters(Math.min(KILLS_PER_LOG, KILLS - kill), random);
      }
      expect(acknowledged).toBeGreaterThanOrEqual(KILLS); // else nothing was tried
    },
    KILLS * SECONDS_PER_KILL * 1_000,
  );
});

/** Returns how much was acknowledged, none of it lost. */
async function killWriters(kills: number, random: Random): Promise<number> {
  const file = join(newFolder(), 'governance.db');
  const acknowledged: Acknowledged[] = [];
  for (let kill = 0; kill < kills; kill += TOGETHER) {
    const writers = Array.from(
      { length: TOGETHER },
      (_, nth) => new Writer({ file, name: `writer-${kill + nth}`, agents: 8 }),
    );
    const count = 1 + Math.floor(random() * 60);
    await Promise.all(writers.map((writer) => writer.hasAcknowledged(count)));
    await Promise.all(writers.map((writer) => writer.kill()));
    acknowledged.push(...writers.flatMap((writer) => writer.acknowledged));
    await checkLog(file, acknowledged);
  }
  return acknowledged.length;
}

/** Opens it as the next process would, and reads all of it; by its rows and by the RFC, not by the package's own verifier. */
async function checkLog(file: string, acknowledged: readonly Acknowledged[]): Promise<void> {
  const ledger = openLedger({ file });
  try {
    await ledger.checkpoint();
    const { entries, leaves, lastNote } = ledger.read((database) => {
      const rows = database.prepare('SELECT seq, record FROM audit_entries ORDER BY seq').all();
      const last = database
        .prepare('SELECT note FROM audit_checkpoints ORDER BY size DESC LIMIT 1')
        .get();
      return {
        entries: rows.map(({ record }): Entry => JSON.parse(String(record))),
        leaves: rows.map(({ record }) => Buffer.from(String(record))),
        lastNote: String(last?.['note']),
      };
    });
    expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, index) => index));
    const kept = new Set(entries.map(({ seq, kind, action }) => `${seq} ${kind} ${action}`));
    const lost = acknowledged.filter(
      ({ seq, kind, action }) => !kept.has(`${seq} ${kind} ${action}`),
    );
    expect(lost).toEqual([]);
    checkOutcomes(entries);
    expect(lastNote.split('\n').slice(1, 3)).toEqual([
      String(leaves.length),
      treeHead(leaves).toString('base64'),
    ]);
  } finally {
    await ledger.close();
  }
}

interface Entry {
  seq: number;
  kind: string;
  action: string;
  intent_seq?: number;
  outcome?: string;
}

/** Every intent has one, and no act is told of twice. */
function checkOutcomes(entries: readonly Entry[]): void {
  const intents = entries.filter(({ kind }) => kind === 'intent').map(({ seq }) => seq);
  const ended = entries.flatMap(({ intent_seq: seq }) => (seq === undefined ? [] : [seq]));
  expect(ended.toSorted((a, b) => a - b)).toEqual(intents);
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'buddy-crash-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
