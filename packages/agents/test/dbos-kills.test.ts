import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { checkFaults, describeKills, type KillPlace } from '@buddy/agents/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { sharePostgres } from './dbos-postgres.ts';

/*
 * Processes that are killed around what they have Postgres keep; the points are named in `dbos-kill-points.ts`. All of them, each at
 * all its moments, when `BUDDY_KILLS` is set.
 */

const postgres = sharePostgres();
let cache = '';
beforeAll(() => {
  cache = mkdtempSync(join(tmpdir(), 'buddy-compiled-'));
});
afterAll(() => rmSync(cache, { recursive: true, force: true }));

let databases = 0;

interface Place extends KillPlace {
  databaseUrl: string;
  start(options: ChildOptions): Promise<boolean>;
}

interface ChildOptions {
  point?: string;
  takes?: Role;
  children?: number;
}

type Role = 'workflows' | 'calls';

async function makePlace(): Promise<Place> {
  databases += 1;
  const databaseUrl = await postgres.createDatabase(`kills_${databases}`);
  const folder = mkdtempSync(join(tmpdir(), 'buddy-kills-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const start = ({ point = '', takes, children }: ChildOptions) =>
    run([databaseUrl, folder, point, takes ?? '', `${children ?? ''}`]);
  return {
    databaseUrl,
    folder,
    start,
    drive: (children, point) => start({ children, ...(point !== undefined && { point }) }),
    check: () => checkForgotten(databaseUrl),
  };
}

/** Of what was compacted, neither DBOS nor the books know any more than that it was. */
async function checkForgotten(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const { rows } = await client.query(
    `WITH known (id) AS (
       SELECT workflow_uuid FROM dbos.workflow_status UNION SELECT workflow_id FROM buddy.entries
       UNION SELECT workflow_id FROM buddy.intents UNION SELECT workflow_id FROM buddy.large_uses
     ) SELECT id FROM known WHERE id LIKE 'child/%' OR id LIKE 'root/%'`,
  );
  await client.end();
  expect(rows).toEqual([]);
}

/** @returns Whether it was killed at its point. */
async function run(args: readonly string[]): Promise<boolean> {
  const program = join(import.meta.dirname, 'dbos-fault-child.ts');
  const child = spawn(process.execPath, ['--conditions=@buddy/source', program, ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: cache, NODE_NO_WARNINGS: '1' }, // dozens of them
  });
  onTestFinished(() => end(child));
  const overdue = setTimeout(() => child.kill('SIGTERM'), OVERDUE_MS);
  const [code, signal] = await gone(child);
  clearTimeout(overdue);
  assert(signal === 'SIGKILL' || code === 0, `It ended with ${String(code ?? signal)}: ${args[2]}`);
  return signal === 'SIGKILL';
}

/** Long after the scenario is over, so that what hangs is told with its point. */
const OVERDUE_MS = 120_000;

function gone(child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
  return new Promise((resolve) => child.once('exit', (...ended) => resolve(ended)));
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = gone(child);
  child.kill('SIGKILL');
  await ended;
}

const IN_TRANSACTION = ['before', 'within', 'sent', 'after'] as const;
const BY_ITSELF = ['before', 'sent', 'after'] as const;
const CALLED = ['before', 'within', 'after'] as const;

/** All names that are passed in a run without a recovery. */
const EACH = {
  present: BY_ITSELF,
  queue: IN_TRANSACTION,
  begun: IN_TRANSACTION,
  claimed: IN_TRANSACTION,
  asked: IN_TRANSACTION,
  'permit-asked': IN_TRANSACTION,
  permitted: BY_ITSELF,
  'permit-ended': IN_TRANSACTION,
  intended: BY_ITSELF,
  called: CALLED,
  recorded: BY_ITSELF,
  'call-ended': IN_TRANSACTION,
  stepped: IN_TRANSACTION,
  timed: IN_TRANSACTION,
  waiting: IN_TRANSACTION,
  received: IN_TRANSACTION,
  told: BY_ITSELF,
  large: BY_ITSELF,
  signalled: BY_ITSELF,
  cancelled: BY_ITSELF,
  'cancel-sent': BY_ITSELF,
  ended: IN_TRANSACTION,
  deleted: IN_TRANSACTION,
  compacted: BY_ITSELF,
};

/** What follows a death: a process is killed at each of these that takes over, and so is one that takes over from the next. */
const IN_RECOVERY = pointsOf({
  swept: BY_ITSELF,
  suspected: BY_ITSELF,
  resumed: IN_TRANSACTION,
});

/** What one process does for another that lives on, and waits for it. */
const BESIDE: Record<Role, string[]> = {
  workflows: pointsOf({
    claimed: IN_TRANSACTION,
    begun: IN_TRANSACTION,
    asked: IN_TRANSACTION,
    'permit-asked': IN_TRANSACTION,
    stepped: IN_TRANSACTION,
    timed: IN_TRANSACTION,
    waiting: IN_TRANSACTION,
    received: IN_TRANSACTION,
    told: BY_ITSELF,
    ended: IN_TRANSACTION,
  }),
  calls: pointsOf({
    claimed: IN_TRANSACTION,
    intended: BY_ITSELF,
    called: CALLED,
    recorded: BY_ITSELF,
    'call-ended': IN_TRANSACTION,
  }),
};

function pointsOf(moments: Record<string, readonly string[]>): string[] {
  return Object.entries(moments).flatMap(([what, all]) => all.map((at) => `${what}:1:${at}`));
}

const isLong = process.env['BUDDY_KILLS'] !== undefined;
const CHILDREN = 8;
vi.setConfig({ testTimeout: 600_000 }); // dozens of processes, one after the other

describeKills(
  'an engine over DBOS',
  makePlace,
  { describe, it },
  {
    inTurn: {
      'between what DBOS and the adapter keep, and in the sweep that takes over from the dead': [
        'cancelled:1:after', // the parent, and nothing below it
        'claimed:2:after', // a workflow, and it was not begun
        'swept:1:after',
        'suspected:1:before',
        'resumed:1:within',
        'resumed:1:after', // of one queue, before those of the next
        'begun:2:within', // a child, and its parent does not know
        'large:3:after',
        'waiting:2:after', // it receives
        'received:1:within',
        'asked:1:sent',
        'call-ended:1:before', // its answer is recorded
        'deleted:1:after',
      ],
      ...(isLong &&
        Object.fromEntries(
          IN_RECOVERY.map((point) => [
            `at ${point} of a recovery, of what follows that, and of the next`,
            ['claimed:3:after', point, 'claimed:1:after', point],
          ]),
        )),
    },
    ...(isLong && { each: EACH }),
  },
);

describe.runIf(isLong).each(['workflows', 'calls'] as const)(
  'a process that takes %s for another, and is killed',
  (takes) => {
    it.each(BESIDE[takes])('at %s, and the next one too, takes nothing with it', async (point) => {
      const place = await makePlace();
      const other = takes === 'calls' ? 'workflows' : 'calls';
      const driving = place.start({ takes: other, children: CHILDREN });
      expect(await place.start({ takes, point })).toBe(true);
      // Where it was the last of its kind, this one goes on to the end.
      const next = place.start({ takes, point });
      await Promise.race([driving, next]);
      void place.start({ takes });
      expect(await driving).toBe(false);
      checkFaults(place.folder, CHILDREN);
      await checkForgotten(place.databaseUrl);
    });
  },
);
