import { mkdtemp, rm } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AuditedLedger, openLedger } from '../../packages/governance/src/index.ts';
import type { Figure } from '../measure/figure.ts';
import { summary, timeRounds } from '../measure/rounds.ts';
import { intentOf, outcomeOf } from './audit-entries.ts';

const AGENTS = 64;
const ACTIONS = 3_200;
/** Fewer, for each waits for the disk twice. */
const ACTIONS_ONE_BY_ONE = 320;

const TOGETHER = `the ledger, ${AGENTS} agents`;
const ALONE = 'the ledger, one agent';
const ONE_BY_ONE = 'node:sqlite, one commit per entry, no tree';

/** What it costs to have intent and outcome of an action on the disk. */
export async function measureAudit(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'buddy-bench-audit-'));
  const ledger = openLedger({ file: join(folder, 'governance.db') });
  const plain = new PlainLog(join(folder, 'plain.db'));
  const latencies: number[] = [];
  try {
    const times = await timeRounds(
      [
        { name: TOGETHER, prepare: () => () => actAll(ledger, AGENTS, ACTIONS, latencies) },
        { name: ALONE, prepare: () => () => actAll(ledger, 1, ACTIONS_ONE_BY_ONE, []) },
        { name: ONE_BY_ONE, isPeer: true, prepare: () => async () => plain.actAll() },
      ],
      { rounds: 7, warmUps: 2 },
    );
    const perSecond = (name: string, actions: number) =>
      (times.get(name) ?? []).map((ms) => (actions * 1000) / ms);
    const together = summary(perSecond(TOGETHER, ACTIONS));
    const oneByOne = summary(perSecond(ONE_BY_ONE, ACTIONS_ONE_BY_ONE));
    const ratio = together.measured / oneByOne.measured;
    return [
      { name: `${TOGETHER}: actions, each two entries`, unit: '/s', ...together },
      { name: ONE_BY_ONE, unit: '/s', ...oneByOne, isPeer: true },
      {
        name: 'the ledger / one commit per entry',
        unit: '',
        measured: ratio,
        target: { is: 'at least', value: 3 },
      },
      {
        name: `${TOGETHER}: from the call to both on the disk, p50`,
        unit: 'ms',
        measured: summary(latencies).measured,
        target: { is: 'at most', value: 5 },
      },
      { name: ALONE, unit: '/s', ...summary(perSecond(ALONE, ACTIONS_ONE_BY_ONE)) },
    ];
  } finally {
    plain.close();
    await ledger.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function actAll(
  ledger: AuditedLedger,
  agents: number,
  actions: number,
  latencies: number[],
): Promise<void> {
  let next = 0;
  const agent = async () => {
    while (next < actions) {
      const nth = next++;
      const startedAt = performance.now();
      const { seq } = await ledger.write((transaction) => transaction.append(intentOf(nth)));
      await ledger.write((transaction) => transaction.append(outcomeOf(nth, seq)));
      latencies.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: agents }, agent));
}

/** What one writes without a package: a table, three indexes, a transaction for each entry; the same durability. */
class PlainLog {
  readonly #database: DatabaseSync;
  #seq = 0;

  constructor(file: string) {
    this.#database = new DatabaseSync(file);
    this.#database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      CREATE TABLE entries (
        seq INTEGER PRIMARY KEY, at INTEGER, actor TEXT, action TEXT, tier INTEGER, record TEXT
      ) STRICT;
      CREATE INDEX entries_by_actor ON entries (actor, at);
      CREATE INDEX entries_by_action ON entries (action, at);
      CREATE INDEX entries_by_tier ON entries (tier, at);
    `);
  }

  actAll(): void {
    const insert = this.#database.prepare('INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)');
    for (let nth = 0; nth < ACTIONS_ONE_BY_ONE; nth += 1) {
      for (const entry of [intentOf(nth), outcomeOf(nth, this.#seq)]) {
        if (entry.kind !== 'intent' && entry.kind !== 'outcome') continue;
        const { actor, action, tier } = entry;
        insert.run(this.#seq++, Date.now(), actor.id, action, tier, JSON.stringify(entry));
      }
    }
  }

  close(): void {
    this.#database.close();
  }
}
