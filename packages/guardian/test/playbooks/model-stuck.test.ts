import { createGuardian, type Guardian, modelStuck } from '@buddy/guardian';
import { afterEach, describe, expect, it } from 'vitest';
import { describePlaybook } from '../playbook-contract.ts';
import { type ModelWorld, openModelWorld } from '../worlds/model-server.ts';

const { signal } = new AbortController();

describePlaybook(modelStuck, () => openModelWorld('stuck'));

describe('playbook model_stuck', () => {
  let world: ModelWorld;
  let guardian: Guardian;
  afterEach(async () => {
    await guardian.stop();
    await world.close();
  });
  const heal = async () => {
    guardian = createGuardian(
      { longestStableMs: 50, probeIntervalMs: 3_600_000, autonomy: { 3: 'auto' } },
      { resources: world.resources, playbooks: [modelStuck] },
    );
    await guardian.start();
    const { outcome } = await guardian.report({
      resource: 'models',
      signal: 'model_server.stuck',
      certainty: 'decisive',
    });
    return outcome;
  };

  it('is seen by a token that does not come, while the server answers and lists its model', async () => {
    world = await openModelWorld('stuck');
    await world.fault.apply(signal);
    expect(await world.model.answers(signal)).toEqual({ status: 'HEALTHY' });
    expect(await world.model.loaded(signal)).toEqual(world.model.models());
    expect(await world.model.probe(signal)).toMatchObject({
      signal: 'model_server.stuck',
      certainty: 'ambiguous',
    });
    expect(await heal()).toBe('restored');
  });

  it('replaces what computes, and lets the server be; less is asked of it from then on', async () => {
    world = await openModelWorld('stuck');
    const { identity } = await world.target();
    await world.fault.apply(signal);
    expect(await heal()).toBe('restored');
    expect((await world.target()).identity).toEqual(identity);
    expect(world.model.limits()).toEqual({ parallel: 2, contextTokens: 4_096 });
  });

  it('gives a server the time to notice that what computed is gone', async () => {
    world = await openModelWorld('stuck', {}, { NOTICES_AFTER_MS: '400' });
    const { identity } = await world.target();
    await world.fault.apply(signal);
    expect(await heal()).toBe('restored');
    expect((await world.target()).identity).toEqual(identity);
  });

  it('replaces the whole server when that is what hangs', async () => {
    world = await openModelWorld('stuck');
    const { identity } = await world.target();
    process.kill(identity.pid, 'SIGSTOP');
    expect(await heal()).toBe('restored');
    expect((await world.target()).identity).not.toEqual(identity);
  });

  it('lets no more requests in at once than the limits say', async () => {
    world = await openModelWorld('stuck', { parallel: 3 });
    guardian = createGuardian({}, { resources: [], playbooks: [] });
    await world.model.setLimits({ parallel: 2, contextTokens: 512 }, signal);
    let [now, most] = [0, 0];
    const ask = () =>
      world.model.ask(async ({ contextTokens }) => {
        most = Math.max(most, (now += 1));
        await new Promise((resolve) => setImmediate(resolve));
        now -= 1;
        return contextTokens;
      });
    expect(await Promise.all([ask(), ask(), ask(), ask()])).toEqual([512, 512, 512, 512]);
    expect(most).toBe(2);
  });
});
