import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { Actor } from '@buddy/core';
import { z } from 'zod';
import type { ApprovalEvent, ApprovalVia } from '../ledger/entry.ts';
import type { LedgerTransaction } from '../ledger/ledger.ts';
import { prepared } from '../ledger/prepared.ts';
import { matchesAction } from '../policy/glob.ts';
import { personKey, ROLES } from '../roles/roles.ts';
import type { Approval, ApprovalStep, Vote } from './approval.ts';
import { IllegalApprovalMoveError } from './errors.ts';
import { APPROVAL_STATES, type ApprovalState, isOpen, mayMove } from './state.ts';

const ActorKind = z.enum(['agent', 'human', 'system']);
const Via = z.enum(['form', 'cli', 'api', 'grant', 'fast']);

const Demand = z.strictObject({
  from: z.array(z.string()),
  quorum: z.int(),
  not: z.array(z.enum(['requester', 'owner', 'policy_author'])),
  expiresMs: z.number(),
});

const Row = z.object({
  seq: z.int(),
  id: z.string(),
  state: z.enum(APPROVAL_STATES),
  action: z.string(),
  actor_kind: ActorKind,
  actor_id: z.string(),
  actor_on_behalf_of: z.string().nullable(),
  tier: z.literal([1, 2, 3]),
  rule: z.string(),
  run_id: z.string().nullable(),
  task_id: z.string().nullable(),
  idempotency_key: z.string(),
  tool_digest: z.string(),
  policy_digest: z.string(),
  binding_digest: z.string(),
  demand: z.string(),
  excluded: z.string(),
  escalated_to: z.string(),
  escalates_at: z.int().nullable(),
  filed_at: z.int(),
  expires_at: z.int(),
  ended_at: z.int().nullable(),
  via: Via.nullable(),
});

const VoteRow = z.object({
  person_id: z.string(),
  role: z.enum(ROLES),
  vote: z.enum(['approve', 'deny']),
  via: Via,
  comment: z.string().nullable(),
  at: z.int(),
});

const EVENTS = [
  'filed',
  'voted',
  'approved',
  'denied',
  'expired',
  'cancelled',
  'invalidated',
  'consumed',
  'escalated',
] as const satisfies readonly ApprovalEvent[];

const StepRow = z.object({
  seq: z.int(),
  approval_id: z.string(),
  event: z.enum(EVENTS),
  action: z.string(),
  by_kind: ActorKind,
  by_id: z.string(),
  via: Via.nullable(),
  at: z.int(),
});

export interface NewApproval extends Omit<
  Approval,
  'state' | 'escalatedTo' | 'endedAt' | 'via' | 'votes'
> {
  callDigest: string;
  sealed: Uint8Array;
}

/** What one piece of work is known by: whoever asks for it again asks for the same. */
export type Work = Pick<Approval, 'idempotencyKey' | 'actor' | 'action' | 'runId'>;

const OF_WORK =
  'idempotency_key = ? AND actor_kind = ? AND actor_id = ? AND action = ? AND run_id IS ?';

/** The one of a piece of work that is open: there is at most one. */
export function findOpenOfWork(database: DatabaseSync, work: Work): Approval | undefined {
  const { idempotencyKey, actor, action, runId } = work;
  // As the index of open ones has it.
  const ofWork = OF_WORK.replace('run_id IS ?', "ifnull(run_id, '') = ifnull(?, '')");
  const row = prepared(
    database,
    `SELECT * FROM approvals WHERE ${ofWork} AND state IN ('pending', 'approved')`,
  ).get(idempotencyKey, actor.kind, actor.id, action, runId);
  return row && approvalOf(database, row);
}

/** The last one for just this call that has come to its end. */
export function findLastEnded(
  database: DatabaseSync,
  { idempotencyKey, actor, action, runId }: Work,
  bindingDigest: string,
): Approval | undefined {
  const row = prepared(
    database,
    `SELECT * FROM approvals WHERE ${OF_WORK} AND binding_digest = ? AND state NOT IN ('pending', 'approved')
     ORDER BY seq DESC LIMIT 1`,
  ).get(idempotencyKey, actor.kind, actor.id, action, runId, bindingDigest);
  return row && approvalOf(database, row);
}

export function findById(database: DatabaseSync, id: string): Approval | undefined {
  const row = prepared(database, 'SELECT * FROM approvals WHERE id = ?').get(id);
  return row && approvalOf(database, row);
}

/** Of an idempotency key, in any run or in one: what is approved for just this call, else the last one for it. */
export function findForCall(
  database: DatabaseSync,
  idempotencyKey: string,
  bindingDigest: string,
  runId: string | null | undefined,
): Approval | undefined {
  const row = prepared(
    database,
    `SELECT * FROM (
       SELECT * FROM approvals WHERE idempotency_key = ?1 AND state IN ('pending', 'approved')
         AND binding_digest = ?2 AND (?3 OR run_id IS ?4)
       UNION ALL
       SELECT * FROM (SELECT * FROM approvals WHERE idempotency_key = ?1 AND binding_digest = ?2
         AND (?3 OR run_id IS ?4) ORDER BY seq DESC LIMIT 1)
     ) ORDER BY state = 'approved' DESC, seq DESC LIMIT 1`,
  ).get(idempotencyKey, bindingDigest, runId === undefined ? 1 : 0, runId ?? null);
  return row && approvalOf(database, row);
}

/** The newest of an idempotency key, whatever it is for. */
export function findNewestOfKey(
  database: DatabaseSync,
  idempotencyKey: string,
): Approval | undefined {
  const row = prepared(
    database,
    'SELECT * FROM approvals WHERE idempotency_key = ? ORDER BY seq DESC LIMIT 1',
  ).get(idempotencyKey);
  return row && approvalOf(database, row);
}

export function countPending(database: DatabaseSync, { kind, id }: Actor): number {
  const row = prepared(
    database,
    'SELECT pending FROM approval_pending WHERE actor_kind = ? AND actor_id = ?',
  ).get(kind, id);
  return Number(row?.['pending'] ?? 0);
}

export function findOpen(database: DatabaseSync): Approval[] {
  return prepared(
    database,
    `SELECT * FROM approvals WHERE state IN ('pending', 'approved') ORDER BY seq`,
  )
    .all()
    .map((row) => approvalOf(database, row));
}

/** The open ones whose time has come, at most 500: to expire or, where somebody is there to be asked, to be escalated. */
export function findDue(database: DatabaseSync, at: number, canEscalate: boolean): Approval[] {
  return prepared(
    database,
    `SELECT * FROM approvals WHERE seq IN (
       SELECT seq FROM approvals WHERE state IN ('pending', 'approved') AND expires_at <= ?1
       UNION SELECT seq FROM approvals WHERE ?2 AND state = 'pending' AND escalates_at IS NOT NULL AND escalates_at <= ?1
     ) ORDER BY seq LIMIT ${DUE_AT_ONCE}`,
  )
    .all(at, canEscalate ? 1 : 0)
    .map((row) => approvalOf(database, row));
}

export const DUE_AT_ONCE = 500;

/** When the next one expires or is escalated; undefined when nothing is open. */
export function nextDue(database: DatabaseSync, canEscalate: boolean): number | undefined {
  const row = prepared(
    database,
    `SELECT (SELECT min(expires_at) FROM approvals WHERE state IN ('pending', 'approved')) AS expires,
       (SELECT min(escalates_at) FROM approvals WHERE state = 'pending' AND escalates_at IS NOT NULL) AS escalates`,
  ).get();
  const moments = [row?.['expires'], canEscalate ? row?.['escalates'] : null];
  const due = moments.filter((moment) => typeof moment === 'number');
  return due.length === 0 ? undefined : Math.min(...due);
}

/** Whether a person has said no to just this wish before. */
export function wasDenied(database: DatabaseSync, callDigest: string): boolean {
  return (
    prepared(
      database,
      `SELECT 1 FROM approvals WHERE call_digest = ? AND state = 'denied' LIMIT 1`,
    ).get(callDigest) !== undefined
  );
}

export interface ApprovalFilter {
  states?: readonly ApprovalState[] | undefined;
  /** A name, or a pattern such as `mail.**`, as policies have them. */
  action?: string | undefined;
  actorId?: string | undefined;
  runId?: string | undefined;
  /** Only what was asked for by this person, or in his name. */
  requestedBy?: string | undefined;
}

/** The states as they are at a moment: what has expired by then is, though nobody has written it yet. */
const STATE_AT = `CASE WHEN state IN ('pending', 'approved') AND expires_at <= ? THEN 'expired' ELSE state END`;

interface Where {
  sql: string;
  values: readonly SQLInputValue[];
}

function whereOf(
  database: DatabaseSync,
  { states, action, actorId, runId, requestedBy }: ApprovalFilter,
  at: number,
): Where {
  const conditions = ['true'];
  const values: SQLInputValue[] = [];
  const add = (condition: string, ...given: SQLInputValue[]) => {
    conditions.push(condition);
    values.push(...given);
  };
  if (states) {
    const written = states.includes('expired') ? [...states, 'pending', 'approved'] : states;
    add('state IN (SELECT value FROM json_each(?))', JSON.stringify(written));
    add(`${STATE_AT} IN (SELECT value FROM json_each(?))`, at, JSON.stringify(states));
  }
  if (action?.includes('*') === true) {
    const names = actionsIn(database).filter((name) => matchesAction(action, name));
    add('action IN (SELECT value FROM json_each(?))', JSON.stringify(names));
  } else if (action !== undefined) add('action = ?', action);
  if (actorId !== undefined) add('actor_id = ?', actorId);
  if (runId !== undefined) add('run_id = ?', runId);
  if (requestedBy !== undefined) {
    add('EXISTS (SELECT 1 FROM json_each(requester_keys) WHERE value = ?)', personKey(requestedBy));
  }
  return { sql: conditions.join(' AND '), values };
}

/** Each name once; by the index, from one to the next, for there are few names and many requests. */
function actionsIn(database: DatabaseSync): string[] {
  return prepared(
    database,
    `WITH RECURSIVE names (name) AS (
       SELECT min(action) FROM approvals
       UNION ALL SELECT (SELECT min(action) FROM approvals WHERE action > name) FROM names WHERE name IS NOT NULL
     ) SELECT name FROM names WHERE name IS NOT NULL`,
  )
    .all()
    .map(({ name }) => String(name));
}

/** At most `limit`, the newest first, from the one before `before` on. */
export function findPage(
  database: DatabaseSync,
  filter: ApprovalFilter,
  { at, before, limit }: { at: number; before: number; limit: number },
): { approval: Approval; seq: number }[] {
  const { sql, values } = whereOf(database, filter, at);
  return database
    .prepare(`SELECT * FROM approvals WHERE seq < ? AND ${sql} ORDER BY seq DESC LIMIT ?`)
    .all(before, ...values, limit)
    .map((row) => ({ approval: approvalOf(database, row), seq: Number(row['seq']) }));
}

/** Requests that are alike, as far as one can see without their arguments. */
export interface ApprovalGroup extends Pick<Approval, 'action' | 'actor' | 'rule' | 'tier'> {
  count: number;
  /** When the first of them expires, in ms since the epoch. */
  expiresAt: number;
}

const GroupRow = Row.pick({
  action: true,
  actor_kind: true,
  actor_id: true,
  actor_on_behalf_of: true,
  rule: true,
  tier: true,
  expires_at: true,
}).extend({ count: z.int() });

/** The largest first. */
export function findGroups(
  database: DatabaseSync,
  filter: ApprovalFilter,
  at: number,
): ApprovalGroup[] {
  const { sql, values } = whereOf(database, filter, at);
  return database
    .prepare(
      `SELECT action, actor_kind, actor_id, actor_on_behalf_of, rule, tier, count(*) AS count, min(expires_at) AS expires_at
       FROM approvals WHERE ${sql} GROUP BY action, actor_kind, actor_id, actor_on_behalf_of, rule, tier
       ORDER BY count DESC, action, actor_id`,
    )
    .all(...values)
    .map((raw) => {
      const row = GroupRow.parse(raw);
      const { action, rule, tier, count, expires_at: expiresAt } = row;
      return { action, actor: actorOf(row), rule, tier, count, expiresAt };
    });
}

export function insertApproval(database: DatabaseSync, added: NewApproval): void {
  const { actor, demand } = added;
  const requesters = actor.onBehalfOf === undefined ? [actor.id] : [actor.id, actor.onBehalfOf];
  prepared(
    database,
    `INSERT INTO approvals (id, state, action, actor_kind, actor_id, actor_on_behalf_of, requester_keys, tier, rule, run_id,
         task_id, idempotency_key, tool_digest, policy_digest, binding_digest, call_digest, demand, excluded, escalated_to,
         escalates_at, filed_at, expires_at, sealed)
       VALUES (?, 'pending', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '[]', ?, ?, ?, ?)`,
  ).run(
    added.id,
    added.action,
    actor.kind,
    actor.id,
    actor.onBehalfOf ?? null,
    JSON.stringify(requesters.map(personKey)),
    added.tier,
    added.rule,
    added.runId,
    added.taskId,
    added.idempotencyKey,
    added.toolDigest,
    added.policyDigest,
    added.bindingDigest,
    added.callDigest,
    JSON.stringify(demand),
    JSON.stringify(added.excluded),
    added.escalatesAt,
    added.filedAt,
    added.expiresAt,
    added.sealed,
  );
}

/**
 * Moves a request on, and nothing else: what leads where is in one table.
 * @throws {IllegalApprovalMoveError} When the table of moves has no such one.
 */
export function moveApproval(
  transaction: LedgerTransaction,
  { id, state }: Pick<Approval, 'id' | 'state'>,
  to: ApprovalState,
  change: { via?: ApprovalVia | null; expiresAt?: number } = {},
): void {
  const { database, at } = transaction;
  const moved =
    mayMove(state, to) &&
    prepared(
      database,
      `UPDATE approvals SET state = ?, via = ifnull(?, via), expires_at = ifnull(?, expires_at), ended_at = ?,
           sealed = CASE WHEN ? THEN sealed ELSE NULL END, mac = NULL
         WHERE id = ? AND state = ?`,
    ).run(
      to,
      change.via ?? null,
      change.expiresAt ?? null,
      isOpen(to) ? null : at,
      isOpen(to) ? 1 : 0,
      id,
      state,
    ).changes === 1;
  if (!moved) throw new IllegalApprovalMoveError(id, state, to);
}

export function widenElectorate(
  { database }: LedgerTransaction,
  id: string,
  roles: readonly string[],
): void {
  prepared(database, 'UPDATE approvals SET escalated_to = ?, escalates_at = NULL WHERE id = ?').run(
    JSON.stringify(roles),
    id,
  );
}

/** One vote for each person; the last one counts. */
export function putVote({ database }: LedgerTransaction, id: string, vote: Vote): void {
  prepared(
    database,
    `INSERT INTO approval_votes (approval_id, person_key, person_id, role, vote, via, comment, at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET person_id = excluded.person_id, role = excluded.role, vote = excluded.vote,
         via = excluded.via, comment = excluded.comment, at = excluded.at`,
  ).run(
    id,
    personKey(vote.by.id),
    vote.by.id,
    vote.by.role,
    vote.vote,
    vote.via,
    vote.comment,
    vote.at,
  );
}

/** What vouches for a request as it stands; undefined when nothing does. */
export function macOf(database: DatabaseSync, id: string): string | undefined {
  const mac = prepared(database, 'SELECT mac FROM approvals WHERE id = ?').get(id)?.['mac'];
  return typeof mac === 'string' ? mac : undefined;
}

export function putMac(database: DatabaseSync, id: string, mac: string): void {
  prepared(database, 'UPDATE approvals SET mac = ? WHERE id = ?').run(mac, id);
}

export function sealedOf(database: DatabaseSync, id: string): Uint8Array | undefined {
  const sealed = prepared(database, 'SELECT sealed FROM approvals WHERE id = ?').get(id)?.[
    'sealed'
  ];
  return sealed instanceof Uint8Array ? sealed : undefined;
}

/** Notes one step where people and events see it, and in the audit log. */
export function noteStep(
  transaction: LedgerTransaction,
  { id, action }: Pick<Approval, 'id' | 'action'>,
  event: ApprovalEvent,
  by: Actor,
  via: ApprovalVia | null,
): void {
  transaction.append({ kind: 'approval', event, approvalId: id, action, by, via });
  prepared(
    transaction.database,
    `INSERT INTO approval_steps (approval_id, event, action, by_kind, by_id, via, at)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
  ).run(id, event, action, by.kind, by.id, via, transaction.at);
}

export function lastStep(database: DatabaseSync): number {
  return Number(
    prepared(database, 'SELECT max(seq) AS seq FROM approval_steps').get()?.['seq'] ?? 0,
  );
}

const STEPS_AT_ONCE = 500;

/** What happened after a step, in order: the next 500 of it. */
export function stepsAfter(
  database: DatabaseSync,
  seq: number,
): { seq: number; step: ApprovalStep }[] {
  return prepared(
    database,
    `SELECT * FROM approval_steps WHERE seq > ? ORDER BY seq LIMIT ${STEPS_AT_ONCE}`,
  )
    .all(seq)
    .map((row) => ({ seq: Number(row['seq']), step: stepOf(row) }));
}

export function stepsOf(database: DatabaseSync, id: string): ApprovalStep[] {
  return prepared(database, 'SELECT * FROM approval_steps WHERE approval_id = ? ORDER BY seq')
    .all(id)
    .map(stepOf);
}

function stepOf(row: Record<string, unknown>): ApprovalStep {
  const { approval_id, event, action, by_kind, by_id, via, at } = StepRow.parse(row);
  return { approvalId: approval_id, event, action, by: { kind: by_kind, id: by_id }, via, at };
}

function approvalOf(database: DatabaseSync, raw: Record<string, unknown>): Approval {
  const row = Row.parse(raw);
  return {
    id: row.id,
    state: row.state,
    action: row.action,
    actor: actorOf(row),
    tier: row.tier,
    rule: row.rule,
    runId: row.run_id,
    taskId: row.task_id,
    idempotencyKey: row.idempotency_key,
    toolDigest: row.tool_digest,
    policyDigest: row.policy_digest,
    bindingDigest: row.binding_digest,
    demand: Demand.parse(JSON.parse(row.demand)),
    excluded: z.array(z.string()).parse(JSON.parse(row.excluded)),
    escalatedTo: z.array(z.enum(ROLES)).parse(JSON.parse(row.escalated_to)),
    escalatesAt: row.escalates_at,
    filedAt: row.filed_at,
    expiresAt: row.expires_at,
    endedAt: row.ended_at,
    via: row.via,
    votes: votesOf(database, row.id),
  };
}

function actorOf(
  row: Pick<z.output<typeof Row>, 'actor_kind' | 'actor_id' | 'actor_on_behalf_of'>,
): Actor {
  const { actor_kind: kind, actor_id: id, actor_on_behalf_of: onBehalfOf } = row;
  return { kind, id, ...(onBehalfOf !== null && { onBehalfOf }) };
}

function votesOf(database: DatabaseSync, id: string): Vote[] {
  return prepared(
    database,
    'SELECT * FROM approval_votes WHERE approval_id = ? ORDER BY at, person_key',
  )
    .all(id)
    .map((raw) => {
      const { person_id, role, vote, via, comment, at } = VoteRow.parse(raw);
      return { by: { id: person_id, role }, vote, via, comment, at };
    });
}
