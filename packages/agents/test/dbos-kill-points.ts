import type { KillSwitch } from '@buddy/agents/testing';
import pg from 'pg';
import { z } from 'zod';
import { lockKey } from '../src/dbos/advisory-lock.ts';

/*
 * Whatever is to outlive a process goes through a session of Postgres, of the adapter as of DBOS itself. So a process can be
 * killed around any of its transitions from below, and neither has a hook for that: what is sent is named by what it says.
 */

/** Of all statements that keep something, what they are called here, and `$n` that tell those apart that read the same. */
const STATEMENTS: readonly (readonly [
  RegExp,
  string | ((values: readonly unknown[]) => string),
])[] = [
  [/SELECT pg_advisory_lock\(/, 'present'],
  [/INSERT INTO "dbos"\.queues/, 'queue'],
  [/INSERT INTO "dbos"\.workflow_status/, ([, , name]) => ENQUEUED.get(String(name)) ?? 'begun'],
  [/UPDATE "dbos"\.workflow_status[^]*recovery_attempts = recovery_attempts \+ 1/, 'claimed'],
  [/UPDATE "dbos"\.workflow_status[^]*recovery_attempts = 0/, 'resumed'],
  [/UPDATE "dbos"\.workflow_status SET status=\$2/, ([id]) => endOf(String(id))],
  [/INSERT INTO "dbos"\.operation_outputs/, ([, , , , name]) => stepOf(String(name))],
  [/INSERT INTO "dbos"\.notifications/, ([, , , , key]) => mailOf(String(key))],
  [/UPDATE "dbos"\.notifications\s+SET consumed/, 'received'],
  [/DELETE FROM "dbos"\.workflow_status/, 'deleted'],
  [/buddy\.keep_entries\(/, ([, , kinds]) => (isTold(kinds) ? 'told' : 'recorded')],
  [/INSERT INTO buddy\.intents/, 'intended'],
  [/INSERT INTO buddy\.suspects/, 'suspected'],
  [/INSERT INTO buddy\.cancellations/, 'cancelled'],
  [/buddy\.keep_large\(/, 'large'],
  [/buddy\.forget\(/, 'compacted'],
  [/pg_try_advisory_lock/, ([key]) => (key === lockKey('sweep/buddy') ? 'swept' : 'sought')],
];

const ENQUEUED = new Map([
  ['buddy.call', 'asked'],
  ['buddy.permit', 'permit-asked'],
]);

/** What DBOS keeps of the end of one of its workflows. */
function endOf(id: string): string {
  if (id.includes('/call:')) return 'call-ended';
  return id.includes('/permit:') ? 'permit-ended' : 'ended';
}

/** Of the steps that DBOS numbers: those of a wait, and those that a workflow's own calls and joins are. */
function stepOf(name: string): string {
  if (name === 'DBOS.sleep') return 'waiting'; // its end is known; what follows is the wait
  return name === 'DBOS.now' ? 'timed' : 'stepped';
}

function mailOf(key: string): string {
  const kind = key.split(/[/:]/)[0] ?? '';
  return MAILED.get(kind) ?? kind;
}

const MAILED = new Map([
  ['signal', 'signalled'],
  ['permit', 'permitted'],
  ['cancel', 'cancel-sent'],
]);

function isTold(kinds: unknown): boolean {
  return z.array(z.string()).parse(kinds).includes('told');
}

/** The name of what a statement does; undefined when it keeps nothing that the next process could find. */
function nameOf(text: string, values: readonly unknown[]): string | undefined {
  const [, name] = STATEMENTS.find(([pattern]) => pattern.test(text)) ?? [];
  return typeof name === 'function' ? name(values) : name;
}

/** What a session does, and has not committed. */
const underWay = new WeakMap<object, string[]>();

/** From now on, whatever this process has Postgres keep passes the switch. */
export function passStatements(killSwitch: KillSwitch): void {
  // oxlint-disable-next-line typescript/unbound-method -- it is given its session below
  const real = pg.Client.prototype.query;
  const query = function (this: object, ...args: unknown[]): unknown {
    const { text, values } = readStatement(args);
    if (text.startsWith('BEGIN')) underWay.set(this, []);
    const transaction = underWay.get(this);
    const isCommit = text === 'COMMIT';
    if (isCommit || text === 'ROLLBACK') underWay.delete(this);
    const name = nameOf(text, values);
    if (name !== undefined) killSwitch.pass(name, 'before');
    const kept = isCommit ? (transaction ?? []) : name !== undefined && !transaction ? [name] : [];
    const answered = () => {
      for (const one of kept) killSwitch.pass(one, 'after');
      if (name === undefined || !transaction) return;
      killSwitch.pass(name, 'within');
      transaction.push(name);
    };
    const callback = args.at(-1);
    const heard = isCallback(callback)
      ? [...args.slice(0, -1), withFirst(callback, answered)]
      : args;
    const result: unknown = Reflect.apply(real, this, heard);
    for (const one of kept) killSwitch.pass(one, 'sent');
    return result instanceof Promise && !isCallback(callback)
      ? result.then((value: unknown) => {
          answered();
          return value;
        })
      : result;
  };
  Object.assign(pg.Client.prototype, { query });
}

function readStatement([first, second]: readonly unknown[]): { text: string; values: unknown[] } {
  const config = Statement.safeParse(first);
  const values = Values.safeParse(config.data?.values ?? second);
  return {
    text: typeof first === 'string' ? first : (config.data?.text ?? ''),
    values: values.data ?? [],
  };
}

const Statement = z.object({ text: z.string(), values: z.unknown() });
const Values = z.array(z.unknown());

type Callback = (error: unknown, ...rest: unknown[]) => void;

function isCallback(value: unknown): value is Callback {
  return typeof value === 'function';
}

function withFirst(callback: Callback, answered: () => void): Callback {
  return (error, ...rest) => {
    if (!error) answered();
    callback(error, ...rest);
  };
}
