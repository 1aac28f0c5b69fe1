import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventLoopBlocked } from '@buddy/guardian';
import { loopBlock, processStop } from '@buddy/guardian/faults';
import { describe, expect, it } from 'vitest';
import { describePlaybook } from '../playbook-contract.ts';
import { openBlockedWorld, openQuicklyMissedWorld } from '../worlds/event-loop-blocked.ts';
import { until } from '../worlds/service-world.ts';
import { watchWith } from '../worlds/watched-guardian.ts';

describePlaybook(eventLoopBlocked, openBlockedWorld);

describe('playbook event_loop_blocked', () => {
  it('is called by silence, and keeps what blocked the loop for people', async () => {
    const world = await openQuicklyMissedWorld({ keepsEvidence: true });
    await using watched = await watchWith(world.resources);
    const closed = watched.closed('api-vitals');
    await world.kit.inject(loopBlock, { identity: await world.target() });
    expect(await closed).toMatchObject({ closedAs: 'restored' });
    expect(watched.runs.at(-1)).toMatchObject({ playbook: 'event_loop_blocked' });
    const [name = ''] = await readdir(world.evidence);
    const evidence: unknown = JSON.parse(await readFile(join(world.evidence, name), 'utf8'));
    expect(evidence).toMatchObject({
      service: 'api',
      figures: { state: 'R' },
      stack: expect.arrayContaining([expect.stringContaining('blockedByFault')]),
    });
    await watched.guardian.stop();
    await world.close();
  });

  it('replaces a process that was stopped: it does not answer either', async () => {
    const world = await openQuicklyMissedWorld();
    await using watched = await watchWith(world.resources);
    const stopped = await world.target();
    await world.kit.inject(processStop, { identity: stopped });
    await until(() => watched.runs.some(({ result }) => result === 'restored'));
    expect((await world.target()).pid).not.toBe(stopped.pid);
    await watched.guardian.stop();
    await world.close();
  });

  it('says nothing of a process that seems silent because we ourselves were late', async () => {
    const world = await openQuicklyMissedWorld();
    const { signal } = new AbortController();
    const end = performance.now() + 700;
    const looking = world.vitals.probe(signal);
    while (performance.now() < end); // our own loop stands still
    expect(await looking).not.toMatchObject({ status: 'FAILED' });
    await world.close();
  });
});
