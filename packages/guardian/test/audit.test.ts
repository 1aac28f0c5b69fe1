import {
  auditPlaybooks,
  builtinPlaybooks,
  definePlaybook,
  on,
  type Playbook,
  probeOf,
  serviceCrashed,
} from '@buddy/guardian';
import { describe, expect, it } from 'vitest';
import { FakeService } from './fake-service.ts';

/** Declares one effect, and calls what it is told to. */
function playbookThat(calls: 'start' | 'stop'): Playbook {
  return definePlaybook({
    id: 'restart',
    name: 'Restart',
    description: 'Starts it again.',
    category: 'process',
    tier: 2,
    priority: 9,
    needs: { service: 'service' },
    triggers: [on('process.exited')],
    contraindicatedBy: [],
    diagnose: async () => undefined,
    steps: (step) => [
      step({
        id: 'start',
        description: 'Starts it.',
        tier: 2,
        timeoutMs: 100,
        effects: ['service.start'],
        run: ({ resources, signal }) => resources.service[calls](signal),
        undo: { irreversible: 'only for this test' },
      }),
    ],
    verify: { checks: [probeOf('service')], withinMs: 100 },
    mttrTargetMs: 1_000,
  });
}

describe('an audit of playbooks', () => {
  it('finds the built-in ones good, and follows every step of each', async () => {
    const { isGood, playbooks } = await auditPlaybooks({ playbooks: builtinPlaybooks });
    const problems = playbooks.flatMap((each) => [
      ...each.problems,
      ...each.dryRuns.flatMap((run) => [...run.problems, ...run.notCalledFor]),
    ]);
    expect(problems).toEqual([]);
    expect(isGood).toBe(true);
    for (const { steps, dryRuns } of playbooks) {
      expect(steps.length).toBeGreaterThan(0);
      expect(dryRuns.flatMap(({ effects }) => effects).length).toBeGreaterThan(0);
    }
  });

  it('tries a playbook on the resources that it is armed for, and does nothing to them', async () => {
    const [up, down] = [new FakeService(), new FakeService()];
    down.isUp = false;
    const audit = await auditPlaybooks({
      playbooks: [playbookThat('start')],
      resources: [
        { id: 'up', adapter: up },
        { id: 'down', adapter: down },
      ],
    });
    expect(audit.playbooks).toMatchObject([
      {
        isGood: true,
        armedFor: ['up', 'down'],
        dryRuns: [
          { resource: 'up', effects: ['service.start'] },
          { resource: 'down', effects: ['service.start'] },
        ],
      },
    ]);
    expect([up.starts, down.starts]).toEqual([0, 0]);
  });

  it('names the roles that nobody fills', async () => {
    const resources = [{ id: 'api', adapter: new FakeService() }];
    const audit = await auditPlaybooks({
      playbooks: builtinPlaybooks.filter(({ id }) => id === 'port_not_responding'),
      resources,
    });
    expect(audit.playbooks).toMatchObject([
      { armedFor: [], notArmedFor: [{ resource: 'api', missing: ['port'] }] },
    ]);
  });

  it('finds an effect that is not declared', async () => {
    const audit = await auditPlaybooks({ playbooks: [playbookThat('stop')] });
    expect(audit).toMatchObject({
      isGood: false,
      playbooks: [
        { dryRuns: [{ problems: [expect.stringContaining('service.stop is not among')] }] },
      ],
    });
  });

  it('finds an id that is used twice, and what is wrong with one that was not made by definePlaybook', async () => {
    const bare: Playbook = { ...serviceCrashed, id: 'Bare', tier: 2, mttrTargetMs: -1 };
    const wrongTier: Playbook = { ...serviceCrashed, id: 'wrong_tier', tier: 2 };
    const { isGood, playbooks } = await auditPlaybooks({
      playbooks: [serviceCrashed, serviceCrashed, bare, wrongTier],
    });
    expect(isGood).toBe(false);
    expect(playbooks.map((each) => each.isGood)).toEqual([true, false, false, false]);
    expect(playbooks[1]?.problems).toEqual(['another playbook is "service_crashed", too']);
    expect(playbooks[2]?.problems[0]).toMatch(/must read like[^]*mttrTargetMs/);
    expect(playbooks[3]?.problems[0]).toContain('its highest step is of tier 3');
  });

  it('does not find an empty list good', async () => {
    expect(await auditPlaybooks({ playbooks: [] })).toEqual({ isGood: false, playbooks: [] });
  });
});
