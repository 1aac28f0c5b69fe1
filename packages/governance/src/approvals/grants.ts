import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import type { LedgerTransaction } from '../ledger/ledger.ts';
import { readArgument } from '../policy/argument.ts';
import { Condition, YES } from '../policy/condition.ts';
import { minorDigits, minorUnits } from '../policy/measures.ts';
import { ArgumentCondition, ArgumentPath } from '../policy/vocabulary.ts';
import { type Person, ROLES } from '../roles/roles.ts';
import type { ApprovalRequest } from './approval.ts';
import { type People, voteObstacle } from './electorate.ts';
import type { Attestation } from './attestation.ts';
import type { Seal } from './seal.ts';

const DAY_MS = 86_400_000;

const ArgumentPattern = ArgumentCondition.refine(
  ({ equals, in: several, min, max }) => {
    const values = several ?? (equals === undefined ? [] : [equals]);
    const isOneType = new Set(values.map((value) => typeof value)).size <= 1;
    const isRange = min === undefined || max === undefined || min <= max;
    return isOneType && isRange && !(several !== undefined && equals !== undefined);
  },
  { error: 'must say equals or in, values of one type, and a min that is not above max' },
);

/** What a person agrees to beforehand, so that he is not asked for each of many calls that are alike. */
export const GrantTerms = z.strictObject({
  /** The tool's name, whole. */
  action: z.string().min(1).max(256),
  /** Exactly this actor, acting in exactly that name. */
  actor: z.strictObject({
    kind: z.enum(['agent', 'human', 'system']),
    id: z.string().min(1).max(1_024),
    onBehalfOf: z.string().exactOptional(),
  }),
  /** The tool's version, as the request says it; for another version people are asked again. */
  toolDigest: z.string().min(1).max(256),
  /** Arguments by path, in the words of policies; all of it has to fit, beyond doubt. */
  args: z
    .record(ArgumentPath, ArgumentPattern)
    .refine((args) => Object.keys(args).length > 0, { error: 'must say at least one argument' }),
  /** At most so many calls. */
  calls: z.int().min(1).max(1_000),
  /** At most so much money, in minor units (cents) of one currency, all calls together. */
  spend: z
    .strictObject({
      amount: z.int().positive().max(1e12),
      currency: z.string().refine((code) => minorDigits(code) !== undefined, {
        error: 'must be a currency, such as EUR',
      }),
      /** The argument that says how much a call takes. */
      path: ArgumentPath,
      /** Whether that argument is in euros (`major`) or cents. */
      unit: z.enum(['major', 'minor']).default('major'),
      /** The argument that names the currency; another one than `currency` is not covered. */
      currencyPath: ArgumentPath.exactOptional(),
    })
    .exactOptional(),
  /** How long it holds, in ms; at most 7 days. */
  ttlMs: z
    .int()
    .positive()
    .max(7 * DAY_MS),
});
export type GrantInput = z.input<typeof GrantTerms>;
export type GrantTerms = z.output<typeof GrantTerms>;

export interface Grant {
  id: string;
  terms: GrantTerms;
  madeBy: Person;
  /** Ms since the epoch. */
  madeAt: number;
  expiresAt: number;
  revokedAt: number | null;
  callsLeft: number;
  /** In minor units; null when it is not about money. */
  spendLeft: number | null;
}

const Row = z.object({
  id: z.string(),
  terms: z.instanceof(Uint8Array),
  calls_left: z.int(),
  spend_left: z.int().nullable(),
  made_at: z.int(),
  made_by: z.string(),
  maker_role: z.enum(ROLES),
  expires_at: z.int(),
  revoked_at: z.int().nullable(),
  mac: z.string().nullable(),
});

/** Grants as they are kept. Their terms hold arguments, so they are sealed too. */
export class GrantBook {
  readonly #seal: Seal;
  readonly #attestation: Attestation;

  constructor(seal: Seal, attestation: Attestation) {
    this.#seal = seal;
    this.#attestation = attestation;
  }

  add({ database, at }: LedgerTransaction, id: string, terms: GrantTerms, maker: Person): Grant {
    const { action, actor, toolDigest, calls, spend, ttlMs } = terms;
    database
      .prepare(
        `INSERT INTO approval_grants (id, action, actor_kind, actor_id, tool_digest, terms, calls_left, spend_left, made_at,
           made_by, maker_role, expires_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        id,
        action,
        actor.kind,
        actor.id,
        toolDigest,
        this.#seal.seal(JSON.stringify(terms), labelOf(id)),
        calls,
        spend?.amount ?? null,
        at,
        maker.id,
        maker.role,
        at + ttlMs,
      );
    this.#attest(database, id);
    const added = this.find(database, id);
    if (!added) throw new Error(`Grant ${id} is not there after it was added`);
    return added;
  }

  find(database: DatabaseSync, id: string): Grant | undefined {
    const row = database.prepare('SELECT * FROM approval_grants WHERE id = ?').get(id);
    return row && this.#readable(row);
  }

  /** Those in force, the newest first. */
  inForce(database: DatabaseSync, at: number): Grant[] {
    return database
      .prepare(
        `SELECT * FROM approval_grants WHERE revoked_at IS NULL AND expires_at > ? AND calls_left > 0
         ORDER BY seq DESC`,
      )
      .all(at)
      .flatMap((row) => this.#readable(row) ?? []);
  }

  /** Whether it was in force. */
  revoke({ database, at }: LedgerTransaction, id: string): boolean {
    return (
      database
        .prepare(
          `UPDATE approval_grants SET revoked_at = ?, mac = NULL
           WHERE id = ? AND revoked_at IS NULL AND expires_at > ? AND calls_left > 0`,
        )
        .run(at, id, at).changes === 1
    );
  }

  /** Takes a call, and its money, from a grant that covers it; undefined when none does. */
  spend(
    { database, at }: LedgerTransaction,
    request: ApprovalRequest,
    people: People,
  ): Grant | undefined {
    const { action, actor, toolDigest } = request;
    const rows = database
      .prepare(
        `SELECT * FROM approval_grants WHERE action = ? AND actor_kind = ? AND actor_id = ? AND tool_digest = ?
           AND revoked_at IS NULL AND expires_at > ? AND calls_left > 0 ORDER BY seq`,
      )
      .all(action, actor.kind, actor.id, toolDigest, at);
    for (const row of rows) {
      const grant = this.#readable(row);
      const amount = grant && amountCovered(grant, request, people);
      if (!grant || amount === undefined) continue;
      database
        .prepare(
          'UPDATE approval_grants SET calls_left = calls_left - 1, spend_left = spend_left - ? WHERE id = ?',
        )
        .run(amount, grant.id);
      this.#attest(database, grant.id);
      return grant;
    }
    return undefined;
  }

  /** After what this class has changed itself; one that was revoked bears no word for it any more. */
  #attest(database: DatabaseSync, id: string): void {
    const row = database.prepare('SELECT * FROM approval_grants WHERE id = ?').get(id);
    const grant = row && this.#unsealed(Row.parse(row));
    if (!grant) throw new Error(`Grant ${id} cannot be read after it was written`);
    const mac = this.#attestation.macOf('grant', grant);
    database.prepare('UPDATE approval_grants SET mac = ? WHERE id = ?').run(mac, id);
  }

  /** Undefined for one that was sealed with another secret, or changed in the database: it covers nothing. */
  #readable(raw: Record<string, unknown>): Grant | undefined {
    const row = Row.parse(raw);
    const grant = this.#unsealed(row);
    return grant && this.#attestation.isMacOf(row.mac, 'grant', grant) ? grant : undefined;
  }

  #unsealed(row: z.output<typeof Row>): Grant | undefined {
    let terms: string;
    try {
      terms = this.#seal.open(row.terms, labelOf(row.id));
    } catch {
      return undefined;
    }
    return {
      id: row.id,
      terms: GrantTerms.parse(JSON.parse(terms)),
      madeBy: { id: row.made_by, role: row.maker_role },
      madeAt: row.made_at,
      expiresAt: row.expires_at,
      revokedAt: row.revoked_at,
      callsLeft: row.calls_left,
      spendLeft: row.spend_left,
    };
  }
}

function labelOf(id: string): string {
  return `grant ${id}`;
}

/**
 * How much money the call takes of the grant, 0 when it is not about money; undefined when the grant does not cover it. One
 * person's grant is one voice: it never stands for a quorum, nor for a role that he has no more.
 */
function amountCovered(
  { terms, madeBy, spendLeft }: Grant,
  request: ApprovalRequest,
  people: People,
): number | undefined {
  const { action, actor, toolDigest, demand, excluded = [], input, policyDigest } = request;
  // What it was found by is beside its terms, and could be another's.
  const isMeant =
    terms.action === action &&
    terms.actor.kind === actor.kind &&
    terms.actor.id === actor.id &&
    terms.toolDigest === toolDigest;
  if (!isMeant) return undefined;
  if (terms.actor.onBehalfOf !== actor.onBehalfOf || demand.quorum !== 1) return undefined;
  const electoral = { actor, demand, escalatedTo: [], excluded, policyDigest };
  if (voteObstacle(madeBy, electoral, people)) return undefined;
  const doArgumentsFit = Object.entries(terms.args).every(
    ([path, pattern]) => new Condition(pattern).test(readArgument(input, path.split('.'))) === YES,
  );
  if (!doArgumentsFit) return undefined;
  if (!terms.spend) return 0;
  const amount = spendOf(terms.spend, input);
  return amount !== undefined && amount <= (spendLeft ?? 0) ? amount : undefined;
}

function spendOf(
  { currency, path, unit, currencyPath }: NonNullable<GrantTerms['spend']>,
  input: unknown,
): number | undefined {
  if (currencyPath !== undefined && readArgument(input, currencyPath.split('.')) !== currency) {
    return undefined;
  }
  const amount = readArgument(input, path.split('.'));
  if (typeof amount !== 'number') return undefined;
  return minorUnits(amount, unit === 'major' ? (minorDigits(currency) ?? 0) : 0);
}
