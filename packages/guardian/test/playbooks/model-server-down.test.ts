import { createGuardian, type Guardian, modelServerDown } from '@buddy/guardian';
import { afterEach, describe, expect, it } from 'vitest';
import { describePlaybook } from '../playbook-contract.ts';
import { MODEL, type ModelWorld, openModelWorld } from '../worlds/model-server.ts';

const { signal } = new AbortController();

describePlaybook(modelServerDown, () => openModelWorld('down'));

describe('playbook model_server_down', () => {
  let world: ModelWorld;
  let guardian: Guardian;
  afterEach(async () => {
    await guardian.stop();
    await world.close();
  });
  const guard = async () => {
    guardian = createGuardian(
      { longestStableMs: 50, probeIntervalMs: 3_600_000, autonomy: { 3: 'auto' } },
      { resources: world.resources, playbooks: [modelServerDown] },
    );
    await guardian.start();
  };
  const report = async (symptom: string) => {
    const { outcome } = await guardian.report({
      resource: 'models',
      signal: symptom,
      certainty: 'decisive',
    });
    return outcome;
  };

  it('has others asked until the model is in memory again', async () => {
    world = await openModelWorld('down');
    await guard();
    const asked = () => world.model.ask(async ({ url }) => url);
    const home = await asked();
    const ways: string[] = [];
    guardian.events.on('stepChanged', ({ step }) => {
      if (step.state === 'done') ways.push(`${step.step}: ${world.model.route()}`);
    });
    await world.fault.apply(signal);
    expect(await report('model_server.down')).toBe('restored');
    expect(ways).toEqual([
      'use_fallback: fallback',
      'start: fallback',
      'preload: fallback',
      'route_home: home',
    ]);
    expect(await asked()).toBe(home);
    expect(await world.model.probe(signal)).toEqual({ status: 'HEALTHY' });
  });

  it('loads a model that is not in memory, and starts nothing that runs', async () => {
    world = await openModelWorld('unloaded');
    await guard();
    const { identity } = await world.target();
    await world.fault.apply(signal);
    expect(await world.model.probe(signal)).toMatchObject({ signal: 'model_server.unloaded' });
    expect(await report('model_server.unloaded')).toBe('restored');
    expect(await world.model.loaded(signal)).toEqual([MODEL]);
    expect((await world.target()).identity).toEqual(identity);
  });

  it('is not believed to be up because its process runs: a model that it does not have is no model', async () => {
    world = await openModelWorld('down', { models: ['tiny', 'other'] });
    await guard();
    await world.fault.apply(signal);
    expect(await report('model_server.down')).toBe('escalated');
    expect(guardian.openIncidents[0]?.reason).toContain("model 'other:latest' not found");
    expect((await world.service.state(signal)).is).toBe('stopped');
  });
});
