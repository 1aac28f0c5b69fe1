import type { Clock } from '@buddy/core';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { KillSwitch } from '../gate/ports.ts';
import type { Ledger, LedgerTransaction } from '../ledger/ledger.ts';
import type { Migration } from '../ledger/migrations.ts';
import { type Permission, type Person, requirePermission } from '../roles/roles.ts';

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
  /** When somebody last turned it, in ms since the epoch; null when nobody ever has. */
  changedAt: number | null;
  changedBy: string | null;
}

/** One flag in the ledger for all processes, asked in the transaction of every intent. Each turn is in the audit log. */
export interface OperableKillSwitch extends KillSwitch {
  state(): KillSwitchState;
  /**
   * From the moment this resolves, nothing is begun any more. What is under way goes on to its end.
   * @returns Whether it was off before.
   * @throws {PermissionDeniedError} When the person may not.
   */
  turnOn(person: Person): Promise<boolean>;
  /**
   * @returns Whether it was on before.
   * @throws {PermissionDeniedError} When the person may not.
   */
  turnOff(person: Person): Promise<boolean>;
}

export function createKillSwitch(parts: { ledger: Ledger; clock: Clock }): OperableKillSwitch {
  return new LedgerKillSwitch(parts);
}

const NAME = 'kill_switch';
const TURNS = {
  on: { isOn: true, event: 'kill_switch_on', permission: 'actions.stop' },
  off: { isOn: false, event: 'kill_switch_off', permission: 'actions.resume' },
} as const satisfies Record<string, { isOn: boolean; event: string; permission: Permission }>;

class LedgerKillSwitch implements OperableKillSwitch {
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #asking = new WeakMap<DatabaseSync, StatementSync>();

  constructor({ ledger, clock }: { ledger: Ledger; clock: Clock }) {
    this.#ledger = ledger;
    this.#clock = clock;
  }

  isOn({ database }: Pick<LedgerTransaction, 'database'>): boolean {
    return this.#row(database)?.['is_on'] === 1;
  }

  state(): KillSwitchState {
    const row = this.#ledger.read((database) => this.#row(database));
    if (!row) return { isOn: false, changedAt: null, changedBy: null };
    return {
      isOn: row['is_on'] === 1,
      changedAt: Number(row['changed_at']),
      changedBy: String(row['changed_by']),
    };
  }

  async turnOn(person: Person): Promise<boolean> {
    return this.#turn('on', person);
  }

  async turnOff(person: Person): Promise<boolean> {
    return this.#turn('off', person);
  }

  #turn(to: keyof typeof TURNS, person: Person): Promise<boolean> {
    const { isOn, event, permission } = TURNS[to];
    const { id } = requirePermission(person, permission);
    const turn = (transaction: LedgerTransaction): boolean => {
      if (this.isOn(transaction) === isOn) return false;
      transaction.database
        .prepare(
          `INSERT INTO controls (name, is_on, changed_at, changed_by) VALUES (?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET is_on = excluded.is_on, changed_at = excluded.changed_at, changed_by = excluded.changed_by`,
        )
        .run(NAME, isOn ? 1 : 0, transaction.at, id);
      transaction.append({ kind: 'control', event, by: { kind: 'human', id }, reasonCode: null });
      return true;
    };
    return this.#clock.external(() => this.#ledger.write(turn));
  }

  #row(database: DatabaseSync) {
    let asking = this.#asking.get(database);
    if (!asking) {
      asking = database.prepare('SELECT * FROM controls WHERE name = ?');
      this.#asking.set(database, asking);
    }
    return asking.get(NAME);
  }
}
