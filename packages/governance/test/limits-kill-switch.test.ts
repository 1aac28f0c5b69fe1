import { ManualClock } from '@buddy/core';
import {
  CONTROLS_MIGRATION,
  createKillSwitch,
  openLedger,
  type Person,
  ROLES,
} from '@buddy/governance';
import { describe, expect, it, onTestFinished } from 'vitest';

const operator: Person = { id: 'ada', role: 'operator' };

describe('the kill switch', () => {
  it('is off until somebody turns it on, and stays as it was turned', async () => {
    const { killSwitch, isOn, clock } = openSwitch();
    expect(killSwitch.state()).toEqual({
      isOn: false,
      isOnDisk: true,
      changedAt: null,
      changedBy: null,
    });
    expect(isOn()).toBe(false);
    expect(await killSwitch.turnOn(operator)).toBe(true);
    expect(isOn()).toBe(true);
    expect(killSwitch.state()).toEqual({
      isOn: true,
      isOnDisk: true,
      changedAt: clock.now(),
      changedBy: 'ada',
    });
    expect(await killSwitch.turnOff(operator)).toBe(true);
    expect(isOn()).toBe(false);
  });

  it('is seen by whoever else has the ledger open', async () => {
    const { killSwitch, ledger, clock } = openSwitch();
    const other = createKillSwitch({ ledger, clock });
    await killSwitch.turnOn(operator);
    expect(ledger.read((database) => other.isOn({ database }))).toBe(true);
  });

  it('puts each turn into the audit log, and no turn that is none', async () => {
    const { killSwitch, logged } = openSwitch();
    expect(await killSwitch.turnOff(operator)).toBe(false);
    await killSwitch.turnOn(operator);
    expect(await killSwitch.turnOn({ id: 'bea', role: 'admin' })).toBe(false);
    await killSwitch.turnOff({ id: 'bea', role: 'admin' });
    expect(logged()).toMatchObject([
      { kind: 'control', event: 'kill_switch_on', by: { kind: 'human', id: 'ada' } },
      { kind: 'control', event: 'kill_switch_off', by: { kind: 'human', id: 'bea' } },
    ]);
  });

  it.each(ROLES.filter((role) => role === 'viewer' || role === 'user'))(
    'does not move for a %s',
    async (role) => {
      const { killSwitch, isOn, logged } = openSwitch();
      const denied = { code: 'GOVERNANCE_PERMISSION_DENIED' };
      await expect(killSwitch.turnOn({ id: 'eve', role })).rejects.toMatchObject(denied);
      expect(isOn()).toBe(false);
      await killSwitch.turnOn(operator);
      await expect(killSwitch.turnOff({ id: 'eve', role })).rejects.toMatchObject(denied);
      expect(isOn()).toBe(true);
      expect(logged()).toHaveLength(1);
    },
  );
});

function openSwitch() {
  const clock = new ManualClock();
  const ledger = openLedger({ file: ':memory:' }, { clock, migrations: [CONTROLS_MIGRATION] });
  onTestFinished(() => ledger.close());
  const killSwitch = createKillSwitch({ ledger, clock });
  const isOn = () => ledger.read((database) => killSwitch.isOn({ database }));
  const logged = (): unknown[] =>
    ledger.read((database) =>
      database
        .prepare('SELECT record FROM audit_entries ORDER BY seq')
        .all()
        .map(({ record }) => JSON.parse(String(record))),
    );
  return { clock, ledger, killSwitch, isOn, logged };
}
