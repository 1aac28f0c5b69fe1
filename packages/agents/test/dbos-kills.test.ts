import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createDbosEngine } from '@buddy/agents/dbos';
import {
  describeKills,
  type KillPlace,
  startPostgres,
  type TemporaryPostgres,
} from '@buddy/agents/testing';
import { afterAll, beforeAll, describe, it, vi } from 'vitest';

/* Processes that are killed around what they have Postgres keep; the points are named in `dbos-kill-points.ts`. */

let postgres: TemporaryPostgres;
let cache = '';
beforeAll(async () => {
  cache = mkdtempSync(join(tmpdir(), 'buddy-compiled-'));
  postgres = await startPostgres();
  // With its tables, so that they need not be made for each test.
  const engine = createDbosEngine({
    databaseUrl: await postgres.createDatabase('model'),
    takes: [],
  });
  await engine.open();
  await engine.close();
}, 30_000);
afterAll(async () => {
  await postgres.stop();
  rmSync(cache, { recursive: true, force: true });
}, 30_000);

let databases = 0;

async function makePlace(): Promise<KillPlace> {
  databases += 1;
  const databaseUrl = await postgres.createDatabase(`kills_${databases}`, 'model');
  const folder = mkdtempSync(join(tmpdir(), 'buddy-kills-'));
  return {
    folder,
    drive: (children, point = '') => drive([databaseUrl, folder, `${children}`, point]),
    remove: async () => rmSync(folder, { recursive: true }),
  };
}

/** @returns Whether it was killed. */
async function drive(args: readonly string[]): Promise<boolean> {
  const program = join(import.meta.dirname, 'dbos-fault-child.ts');
  const child = spawn(process.execPath, ['--conditions=@buddy/source', program, ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: cache, NODE_NO_WARNINGS: '1' }, // dozens of them
  });
  const overdue = setTimeout(() => child.kill('SIGTERM'), OVERDUE_MS);
  const [code, signal]: unknown[] = await once(child, 'exit');
  clearTimeout(overdue);
  assert(signal === 'SIGKILL' || code === 0, `It ended with ${String(code ?? signal)}`);
  return signal === 'SIGKILL';
}

/** Long after the scenario is over, so that what hangs is told with its point. */
const OVERDUE_MS = 30_000;

const IN_TRANSACTION = ['before', 'within', 'sent', 'after'] as const;
const BY_ITSELF = ['before', 'sent', 'after'] as const;

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
  called: ['before', 'within', 'after'],
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
} as const;

const isLong = process.env['BUDDY_KILLS'] !== undefined;

vi.setConfig({ testTimeout: 120_000 }); // dozens of processes, one after the other

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
    },
    ...(isLong && { each: EACH }),
  },
);
