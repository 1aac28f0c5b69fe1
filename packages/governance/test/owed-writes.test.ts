import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { defineTool, describeFailure, ManualClock, toolContext } from '@buddy/core';
import { createGovernance, type Governance, openAuditLog } from '@buddy/governance';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { newFile, newFolder } from './audit/entries.ts';
import { smallDisk } from './ledger/small-disk.ts';

const ada = { id: 'ada', role: 'operator' } as const;
const bea = { id: 'bea', role: 'admin' } as const;

describe('what could not be written when it happened', () => {
  it('is written by itself as soon as the log takes it, in its order', async () => {
    const { governance, clock, call } = await openGate();
    await Promise.all([call('a', () => full(governance)), call('b'), call('c')]);
    expect(outcomesIn(governance)).toEqual([]);
    await clock.advance(1_000);
    expect(outcomesIn(governance)).toEqual([]);
    await roomAgain(governance);
    await clock.advance(2_000); // the second try comes after twice the time
    expect(outcomesIn(governance)).toEqual(['a', 'b', 'c']);
    await governance.close();
  });

  it('is written before whatever comes next, and at the close', async () => {
    const file = newFile();
    const { governance, call } = await openGate(file);
    await call('a', () => full(governance));
    await roomAgain(governance);
    await call('b', () => full(governance));
    expect(outcomesIn(governance)).toEqual(['a']);
    await roomAgain(governance);
    await governance.close();
    using log = openAuditLog(file);
    expect(log.query({ kind: 'outcome' }).entries).toHaveLength(2);
  });

  it('keeps nothing else from being written when it never can be', async () => {
    const file = newFile();
    const { governance, clock, call } = await openGate(file);
    const messages: string[] = [];
    governance.events.on('logUnavailable', ({ message }) => messages.push(message));
    await Promise.all([call('a'), call('poison', () => full(governance)), call('c')]);
    await roomAgain(governance);
    await governance.ledger.write(({ database }) =>
      database.exec(`CREATE TEMP TRIGGER poison BEFORE INSERT ON main.audit_entries
        WHEN NEW.record LIKE '%"action":"crm.contacts.poison"%"kind":"outcome"%'
        BEGIN SELECT RAISE(ROLLBACK, 'it takes the whole group with it'); END`),
    );
    await clock.advance(1_000);
    expect(outcomesIn(governance).toSorted()).toEqual(['a', 'c']);
    expect(messages.at(-1)).toContain('it takes the whole group with it');
    await call('d');
    expect(outcomesIn(governance)).toContain('d');
    await governance.close();
    const again = await openGate(file); // what became of it, nobody can say
    const [last] = again.governance.audit.query({ kind: 'outcome' }).entries;
    expect(last).toMatchObject({ action: 'crm.contacts.poison', outcome: 'unknown' });
    await again.governance.close();
  });

  it('keeps calls of tier 2 from being made for as long as the log takes nothing', async () => {
    const { governance, call } = await openGate();
    await call('a', () => full(governance));
    await expect(call('b')).rejects.toMatchObject({ code: 'GOVERNANCE_UNAVAILABLE' });
    await roomAgain(governance);
    await call('b');
    expect(outcomesIn(governance)).toEqual(['a', 'b']);
    await governance.close();
  });
});

describe('the kill switch, when the log cannot be written,', () => {
  it('holds in this process at once, says that it is not on the disk, and gets there by itself', async () => {
    const file = newFile();
    const { governance, clock, call, read } = await openGate(file);
    await full(governance);
    expect(await governance.killSwitch.turnOn(ada)).toBe(true);
    expect(await governance.killSwitch.turnOn(bea)).toBe(false);
    const at = clock.now();
    const state = { isOn: true, changedBy: 'ada' };
    expect(governance.killSwitch.state()).toEqual({ ...state, isOnDisk: false, changedAt: at });
    await expect(call('a')).rejects.toMatchObject({ code: 'GOVERNANCE_UNAVAILABLE' });
    await expect(read()).rejects.toMatchObject({ code: 'GOVERNANCE_UNAVAILABLE' }); // tier 1 too
    await roomAgain(governance);
    await expect(call('a')).rejects.toMatchObject({ decision: { reasonCode: 'KILL_SWITCH' } });
    await clock.advance(1_000);
    expect(governance.killSwitch.state()).toMatchObject({ ...state, isOnDisk: true });
    expect(controlsIn(governance)).toEqual(['kill_switch_on ada']);
    await governance.close();
  });

  it('holds on a disk that is full, and is kept when there is room', async (test) => {
    const disk = smallDisk();
    if (disk === undefined) {
      process.stderr.write('\nNOT CHECKED: a full disk, for this user may not mount one.\n\n');
      return test.skip();
    }
    const { governance, clock, call } = await openGate(join(disk, 'governance.db'));
    const filler = join(disk, 'filler');
    fillUp(filler);
    await expect(callUntilRefused(call)).resolves.toBe('GOVERNANCE_UNAVAILABLE');
    expect(await governance.killSwitch.turnOn(ada)).toBe(true);
    expect(governance.killSwitch.state()).toMatchObject({ isOn: true, isOnDisk: false });
    await expect(call('z')).rejects.toMatchObject({ code: 'GOVERNANCE_UNAVAILABLE' });
    rmSync(filler);
    await clock.advance(120_000);
    expect(governance.killSwitch.state()).toMatchObject({ isOn: true, isOnDisk: true });
    expect(controlsIn(governance)).toEqual(['kill_switch_on ada']);
    await governance.close();
  });

  it('holds from the very call on, for what is asked for in the same turn', async () => {
    const { governance, call } = await openGate();
    const asked = call('a');
    const turned = governance.killSwitch.turnOn(ada);
    await expect(asked).rejects.toMatchObject({ decision: { reasonCode: 'KILL_SWITCH' } });
    await turned;
    await governance.close();
  });

  it('is written at the close, and another process finds it on', async () => {
    const file = newFile();
    const first = await openGate(file);
    await full(first.governance);
    await first.governance.killSwitch.turnOn(ada);
    await roomAgain(first.governance);
    await first.governance.close();
    const second = await openGate(file);
    expect(second.governance.killSwitch.state()).toMatchObject({ isOn: true, changedBy: 'ada' });
    await second.governance.close();
  });

  it('is not turned off by a turn that cannot be written; after one that can, the log has both', async () => {
    const { governance, clock, call } = await openGate();
    await full(governance);
    await governance.killSwitch.turnOn(ada);
    await expect(governance.killSwitch.turnOff(bea)).rejects.toMatchObject({
      code: 'GOVERNANCE_LEDGER_WRITE_FAILED',
    });
    expect(governance.killSwitch.state()).toMatchObject({ isOn: true, isOnDisk: false });
    await roomAgain(governance);
    expect(await governance.killSwitch.turnOff(bea)).toBe(true);
    await clock.advance(60_000);
    expect(controlsIn(governance)).toEqual(['kill_switch_on ada', 'kill_switch_off bea']);
    await call('a');
    await governance.close();
  });

  it('says at the close that it could not be kept', async () => {
    const { governance } = await openGate();
    await full(governance);
    await governance.killSwitch.turnOn(ada);
    await expect(governance.close()).rejects.toMatchObject({
      code: 'GOVERNANCE_LEDGER_WRITE_FAILED',
    });
  });
});

/** Takes all the room that there is. */
function fillUp(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (;;) writeSync(file, Buffer.alloc(4_096));
  } catch (error) {
    if (describeFailure(error).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(file);
  }
}

/** What fits into the pages there are may still be written. */
async function callUntilRefused(call: (name: string) => Promise<unknown>): Promise<string> {
  for (let n = 0; n < 500; n += 1) {
    const failure = await call(`n${n}`).then(() => undefined, describeFailure);
    if (failure) return failure.code;
  }
  return 'never refused';
}

/** From now on no entry can be written, as on a full disk. */
function full({ ledger }: Governance): Promise<void> {
  return ledger.write(({ database }) =>
    database.exec(`CREATE TEMP TRIGGER full BEFORE INSERT ON main.audit_entries
      BEGIN SELECT RAISE(ROLLBACK, 'disk full'); END`),
  );
}

function roomAgain({ ledger }: Governance): Promise<void> {
  return ledger.write(({ database }) => database.exec('DROP TRIGGER temp.full'));
}

function context(key: string) {
  const actor = { kind: 'agent', id: 'eve' } as const;
  return toolContext({ actor, rationale: 'planned', idempotencyKey: key });
}

async function openGate(file = ':memory:') {
  const clock = new ManualClock();
  const policy = join(newFolder(), 'policy.yaml');
  await writeFile(
    policy,
    'version: 1\nrules:\n  - { id: crm, when: { action: crm.** }, allow: true }\n',
  );
  const governance = await createGovernance(
    { policy, database: file, followPolicy: false },
    { clock },
  );
  const toolOf = (action: string, tier: 1 | 2, execute: () => Promise<string>) =>
    governance.govern(
      defineTool({
        name: action,
        description: 'Does it.',
        tier,
        input: z.object({}),
        output: z.string(),
        execute,
      }),
    );
  return {
    governance,
    clock,
    /** Something of tier 2, during which `happens`. */
    call: (name: string, happens: () => Promise<void> = () => turn()) =>
      toolOf(`crm.contacts.${name}`, 2, async () => {
        await happens();
        await turn();
        return name;
      }).execute({}, context(name)),
    read: () => toolOf('crm.contacts.find', 1, async () => 'x').execute({}, context('r')),
  };
}

function outcomesIn({ audit }: Governance): string[] {
  return audit
    .query({ kind: 'outcome' })
    .entries.toReversed()
    .map((entry) => ('action' in entry ? entry.action.replace('crm.contacts.', '') : ''));
}

function controlsIn({ audit }: Governance): string[] {
  return audit
    .query({ kind: 'control' })
    .entries.toReversed()
    .map((entry) => (entry.kind === 'control' ? `${entry.event} ${entry.by.id}` : ''));
}
