import { appendFileSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import process from 'node:process';
import {
  createEngine,
  JournalOpenError,
  openJournal,
  type Operation,
  type Workflow,
  type WorkflowStore,
} from '@buddy/agents';
import {
  createKillSwitch,
  driveFaults,
  faultRegistration,
  type KillSwitch,
} from '@buddy/agents/testing';
import type { Tool } from '@buddy/core';
import { z } from 'zod';

/*
 * A process that is made to fail. What it does:
 *   drive N [POINT]   the fault scenario with N children; killed at a point such as `recorded:2:before`
 *   poison            a call that kills the process
 *   log               one workflow after the other, and how long the log was when each was acknowledged; then it is killed
 *   fill              workflows until one is refused; when it is told so on its standard input, it ends them all
 */
const [, , folder = '', what = '', children = '0', point = ''] = process.argv;
const file = `${folder}/journal.db`;

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  for (;;); // the signal may take a moment, and nothing may happen in it
}

const say = (line: string) => process.stdout.write(`${line}\n`);

/** A store whose every operation passes the switch. */
function passing(killSwitch: KillSwitch, store: WorkflowStore): WorkflowStore {
  const around =
    (keep: (operation: Operation) => Promise<void>) => async (operation: Operation) => {
      killSwitch.pass(operation.kind, 'before');
      await keep(operation);
      killSwitch.pass(operation.kind, 'after');
    };
  return {
    keep: around((operation) => store.keep(operation)),
    offer: around((operation) => store.offer(operation)),
    stalled: () => store.stalled(),
    settled: () => store.settled(),
    load: (id) => store.load(id),
    unfinished: (below) => store.unfinished(below),
    views: () => store.views(),
    history: (after) => store.history(after),
    close: () => store.close(),
  };
}

async function drive(): Promise<void> {
  // It is us who kill, not a call, and more often than any call would be forgiven.
  const killSwitch = createKillSwitch(point);
  const engine = createEngine({
    store: passing(killSwitch, openJournal({ file })),
    poisonAfter: Infinity,
  });
  engine.register(faultRegistration({ folder, killSwitch }));
  say('open');
  await engine.open();
  killSwitch.pass('opened', 'after');
  await driveFaults(engine, Number(children), { folder });
  await engine.close();
}

const callDeadly: Workflow = (ctx) =>
  ctx.activity({
    key: 'call',
    tool: 'deadly',
    input: null,
    work: ctx.id,
    actor: { kind: 'system', id: 'test' },
    rationale: 'a test',
    attempt: 1,
  });

const deadly: Tool = {
  name: 'deadly',
  description: 'Kills whoever calls it.',
  tier: 1,
  effect: 'pure',
  input: z.unknown(),
  output: z.unknown(),
  execute: () => {
    appendFileSync(`${folder}/calls`, 'called\n');
    return die();
  },
};

async function poison(): Promise<void> {
  const engine = createEngine({ store: openJournal({ file }) });
  engine.register({ workflows: { call: callDeadly }, tools: [deadly], lanes: {} });
  await engine.open();
  await engine.start('w', 'call', null);
  say(JSON.stringify(await engine.result('w')));
  await engine.close();
}

async function log(): Promise<never> {
  const engine = createEngine({ store: openJournal({ file }) });
  engine.register({ workflows: { now: (ctx) => ctx.now('at') }, tools: [], lanes: {} });
  for (let n = 0; n < Number(children); n++) {
    await engine.start(`late/${n}`, 'now', 'x'.repeat(500));
    appendFileSync(`${folder}/acknowledged`, `${statSync(`${file}-wal`).size}\n`);
  }
  return die();
}

async function fill(): Promise<void> {
  const engine = createEngine({ store: openJournal({ file }) });
  engine.register({ workflows: { now: (ctx) => ctx.now('at') }, tools: [], lanes: {} });
  const acknowledged: string[] = [];
  try {
    for (;;) {
      const id = `w${acknowledged.length}`;
      await engine.start(id, 'now', 'x'.repeat(10_000));
      acknowledged.push(id);
    }
  } catch (error) {
    say(error instanceof Error && 'code' in error ? `${String(error.code)} ${error.message}` : '');
  }
  const room = createInterface({ input: process.stdin });
  await new Promise((resolve) => room.once('line', resolve));
  room.close();
  const kinds = new Set<string>();
  for (const id of acknowledged) kinds.add((await engine.result(id)).kind);
  const listed: string[] = [];
  for await (const { id, status } of engine.list()) listed.push(`${id} ${status}`);
  say(JSON.stringify({ acknowledged, kinds: [...kinds], listed }));
  await engine.close();
}

try {
  switch (what) {
    case 'drive':
      await drive();
      break;
    case 'poison':
      await poison();
      break;
    case 'log':
      await log();
      break;
    case 'fill':
      await fill();
      break;
    default:
      throw new Error(`Nothing is named ${what}`);
  }
} catch (error) {
  if (!(error instanceof JournalOpenError)) throw error;
  say(error.code);
}
