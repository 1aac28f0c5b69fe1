import { portInUse } from '@buddy/guardian';
import { portOccupy } from '@buddy/guardian/faults';
import { describe, expect, it } from 'vitest';
import { describePlaybook } from '../playbook-contract.ts';
import { occupy, openPortedWorld, openStaleSiblingWorld } from '../worlds/port-in-use.ts';
import { until } from '../worlds/service-world.ts';
import { watchWith } from '../worlds/watched-guardian.ts';

describePlaybook(portInUse, openStaleSiblingWorld);

describe('playbook port_in_use', () => {
  it('never ends a stranger: the service moves, and its callers are told', async () => {
    const world = await openPortedWorld(1);
    const stranger = await occupy(world);
    await using watched = await watchWith(world.resources);
    const closed = watched.closed('api');
    expect(await closed).toMatchObject({
      closedAs: 'restored',
      reason: 'healed by port_in_use',
    });
    expect(await stranger.isPresent()).toBe(true);
    expect(world.moves).toEqual([world.ports[1]]);
    expect(world.port.port).toBe(world.ports[1]);
    expect(await world.answers()).toBe(true);
    await watched.guardian.stop();
    await world.close();
  });

  it('never ends a process of another service, with whatever mark it bears', async () => {
    const world = await openPortedWorld();
    const other = await occupy(world, { BUDDY_SERVICE: `${world.folder}/web` });
    await using watched = await watchWith(world.resources);
    await until(() => watched.guardian.openIncidents.some(({ status }) => status === 'parked'));
    expect(watched.guardian.openIncidents[0]?.reason).toContain('which is left alone');
    expect(await other.isPresent()).toBe(true);
    expect(watched.runs).toEqual([]);
    await watched.guardian.stop();
    await world.close();
  });

  it('has its turn as soon as a start of another playbook finds the port taken', async () => {
    const world = await openPortedWorld(1);
    process.kill((await world.target()).pid, 'SIGKILL');
    await until(world.isExited);
    await world.kit.inject(portOccupy, { port: world.whereIsIt() });
    await using watched = await watchWith(world.resources);
    await until(() => watched.runs.some(({ result }) => result === 'restored'));
    expect(watched.runs.map(({ playbook, result }) => [playbook, result])).toEqual([
      ['service_crashed', 'not_helped'],
      ['port_in_use', 'restored'],
    ]);
    const [crashed, moved] = watched.runs;
    expect(moved?.endedAt).toBeLessThan((crashed?.startedAt ?? 0) + portInUse.mttrTargetMs);
    await watched.guardian.stop();
    await world.close();
  });

  it('passes over another port that is taken, too', async () => {
    const world = await openPortedWorld(2);
    await world.kit.inject(portOccupy, { port: world.ports[1] ?? 0 });
    await occupy(world);
    await using watched = await watchWith(world.resources);
    const closed = watched.closed('api');
    expect(await closed).toMatchObject({ closedAs: 'restored' });
    expect(world.moves).toEqual([world.ports[2]]);
    await watched.guardian.stop();
    await world.close();
  });

  it('just starts it when the port is free again', async () => {
    const world = await openPortedWorld();
    const occupant = await occupy(world);
    await occupant.revert();
    await using watched = await watchWith(world.resources);
    const { plan } = await watched.guardian.dryRun('port_in_use', 'api');
    expect(plan.effects).toEqual(['service.start']);
    await watched.guardian.stop();
    await world.close();
  });
});
