import type { Clock } from '@buddy/core';
import type { DatabaseSync } from 'node:sqlite';
import type { KillSwitch } from '../gate/ports.ts';
import type { Ledger, LedgerTransaction } from '../ledger/ledger.ts';
import type { Migration } from '../ledger/migrations.ts';
import { isLedgerFailure, OwedWrites } from '../ledger/owed-writes.ts';
import { prepared } from '../ledger/prepared.ts';
import { type Person, requirePermission } from '../roles/roles.ts';

export const CONTROLS_MIGRATION: Migration = {
  id: 'controls-1',
  sql: `
    CREATE TABLE controls (
      name TEXT PRIMARY KEY,
      is_on INTEGER NOT NULL,
      changed_at INTEGER NOT NULL,
      changed_by TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
  `,
};

export interface KillSwitchState {
  isOn: boolean;
  /** False where it was turned on and could not be written yet: this process begins nothing, and others do not know. */
  isOnDisk: boolean;
  /** When somebody last turned it, in ms since the epoch; null when nobody ever has. */
  changedAt: number | null;
  changedBy: string | null;
}

/**
 * One flag in the ledger for all processes, asked in the transaction of every intent. Each turn is in the audit log. Disposing
 * of it tries a last time to write what could not be written, and throws when that fails.
 */
export interface OperableKillSwitch extends KillSwitch, AsyncDisposable {
  state(): KillSwitchState;
  /**
   * From the moment this is called, this process begins nothing any more, and once it is on the disk no other does. What is
   * under way goes on to its end. Where it cannot be written (the disk is full), it holds here all the same, and is written
   * as soon as there is room: `state().isOnDisk`.
   * @returns Whether it was off before.
   * @throws {PermissionDeniedError} When the person may not.
   */
  turnOn(person: Person): Promise<boolean>;
  /**
   * @returns Whether it was on before.
   * @throws {PermissionDeniedError} When the person may not.
   * @throws {LedgerWriteError} When it cannot be written; then it stays on.
   */
  turnOff(person: Person): Promise<boolean>;
}

export function createKillSwitch(parts: { ledger: Ledger; clock: Clock }): OperableKillSwitch {
  return new LedgerKillSwitch(parts);
}

class LedgerKillSwitch implements OperableKillSwitch {
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #owed: OwedWrites;
  /** Turned on, and not on the disk yet. */
  #held: { by: string; at: number } | undefined;

  constructor({ ledger, clock }: { ledger: Ledger; clock: Clock }) {
    this.#ledger = ledger;
    this.#clock = clock;
    // Nothing of it can fail but the ledger; if something did, it would stay on in this process.
    this.#owed = new OwedWrites({ ledger, clock, onLost: () => undefined });
  }

  isOn({ database }: Pick<LedgerTransaction, 'database'>): boolean {
    return this.#held !== undefined || isOnIn(database);
  }

  state(): KillSwitchState {
    if (this.#held) {
      const { by, at } = this.#held;
      return { isOn: true, isOnDisk: false, changedAt: at, changedBy: by };
    }
    const row = this.#ledger.read(rowOf);
    if (!row) return { isOn: false, isOnDisk: true, changedAt: null, changedBy: null };
    return {
      isOn: row['is_on'] === 1,
      isOnDisk: true,
      changedAt: Number(row['changed_at']),
      changedBy: String(row['changed_by']),
    };
  }

  async turnOn(person: Person): Promise<boolean> {
    const { id: by } = requirePermission(person, 'actions.stop');
    if (this.#held) return false;
    const held = { by, at: this.#clock.now() };
    this.#held = held;
    const write = (transaction: LedgerTransaction): boolean =>
      this.#held === held && turn(transaction, 'on', by);
    const tell = (): void => {
      if (this.#held === held) this.#held = undefined;
    };
    try {
      const wasOff = await this.#write(write);
      tell();
      return wasOff;
    } catch (error) {
      if (!isLedgerFailure(error)) throw error;
      this.#owed.add({ write, tell });
      return true;
    }
  }

  async turnOff(person: Person): Promise<boolean> {
    const { id: by } = requirePermission(person, 'actions.resume');
    const held = this.#held;
    const wasOn = await this.#write((transaction) => {
      // The log says that it was on, though it could not when it was turned.
      if (held) turn(transaction, 'on', held.by);
      return turn(transaction, 'off', by);
    });
    // Who turned it on meanwhile wants it on.
    if (this.#held === held) this.#held = undefined;
    return wasOn;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owed[Symbol.asyncDispose]();
  }

  #write<T>(work: (transaction: LedgerTransaction) => T): Promise<T> {
    return this.#clock.external(() => this.#ledger.write(work));
  }
}

const NAME = 'kill_switch';

/** Whether it was not so already. */
function turn(transaction: LedgerTransaction, to: 'on' | 'off', by: string): boolean {
  const isOn = to === 'on';
  if (isOnIn(transaction.database) === isOn) return false;
  prepared(
    transaction.database,
    `INSERT INTO controls (name, is_on, changed_at, changed_by) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET is_on = excluded.is_on, changed_at = excluded.changed_at, changed_by = excluded.changed_by`,
  ).run(NAME, isOn ? 1 : 0, transaction.at, by);
  const event = isOn ? 'kill_switch_on' : 'kill_switch_off';
  transaction.append({ kind: 'control', event, by: { kind: 'human', id: by }, reasonCode: null });
  return true;
}

function isOnIn(database: DatabaseSync): boolean {
  return rowOf(database)?.['is_on'] === 1;
}

function rowOf(database: DatabaseSync) {
  return prepared(database, 'SELECT * FROM controls WHERE name = ?').get(NAME);
}
