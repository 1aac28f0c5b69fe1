import { createAgentManager, NOTHING_LEARNT, numberedAgents } from '@buddy/agents';
import { describe, expect, it } from 'vitest';

function linesOf(...records: object[]): string[] {
  return records.map(
    (record) => `${JSON.stringify({ predicted_success_probability: 0.5, ...record })}\n`,
  );
}

describe('an agent manager', () => {
  it('has four agents of capacity 1 by default', () => {
    expect(createAgentManager().agents).toEqual(numberedAgents(4));
    expect(numberedAgents(4).map(({ id }) => id)).toEqual([
      'agent_0',
      'agent_1',
      'agent_2',
      'agent_3',
    ]);
  });

  it.each([
    [{ agents: [] }, 'agents'],
    [{ agents: [{ id: 'a' }, { id: 'a' }] }, 'different ids'],
    [{ agents: [{ id: 'a/b' }] }, 'agents[0].id'],
    [{ agents: [{ id: '..' }] }, 'agents[0].id'],
    [{ agents: [{ id: 'unassigned' }] }, 'nobody took'],
    [{ agents: [{ id: 'a', capacity: 0 }] }, 'capacity'],
    [{ controlShare: 1.1 }, 'controlShare'],
  ])('refuses %j', (options, named) => {
    expect(() => createAgentManager(options)).toThrow(named);
  });

  it('fills in what predictions leave out: durations from their like, else from all, else a second', async () => {
    const manager = createAgentManager({ controlShare: 0 });
    await manager.load({
      tasks: linesOf(
        { task_id: 'a', action: 'x', predicted_execution_time: 2 },
        { task_id: 'b', action: 'x', predicted_execution_time: 4 },
        { task_id: 'c', action: 'x' },
        { task_id: 'd', action: 'y', predicted_execution_time: 9 },
        { task_id: 'e', action: 'z' },
        { task_id: 'f', action: 'z', wave: 2 },
      ),
    });
    const durations = (wave: number, learning = NOTHING_LEARNT) =>
      manager.planWave(wave, { learning }).tasks.map(({ durationMs }) => durationMs);
    expect(durations(1)).toEqual([2_000, 4_000, 3_000, 9_000, 4_000]);
    expect(durations(2)).toEqual([1_000]);
    const learning = {
      ...NOTHING_LEARNT,
      typicalDurationMs: (action: string) => (action === 'z' ? 70 : undefined),
    };
    expect(durations(1, learning)).toEqual([2_000, 4_000, 3_000, 9_000, 70]);
  });

  it('plans with what was learnt', async () => {
    const manager = createAgentManager({ agents: [{ id: 'a' }, { id: 'b' }], controlShare: 0 });
    await manager.load({
      tasks: linesOf(...Array.from({ length: 6 }, (_, at) => ({ task_id: `t${at}`, action: 'x' }))),
    });
    const { plan, tasks } = manager.planWave(1, {
      learning: {
        ...NOTHING_LEARNT,
        speed: (id) => (id === 'a' ? 2 : 1),
        calibrate: (p, action) => (action === 'x' ? p / 2 : p),
      },
    });
    expect(plan.agents.map(({ speed, taskIds }) => [speed, taskIds.length])).toEqual([
      [2, 4],
      [1, 2],
    ]);
    expect(tasks[0]).toMatchObject({ successProbability: 0.5, calibratedProbability: 0.25 });
  });

  it('plans only what can be done; the rest is there with its reason', async () => {
    const manager = createAgentManager();
    await manager.load({
      tasks: linesOf(
        { task_id: 'good', action: 'x', depends_on: ['code'] },
        { task_id: 'code', code: 'return 1' },
        { task_id: 'odd', action: 'y' },
        { task_id: 'self', action: 'x', depends_on: ['self'] },
      ),
    });
    const { plan, tasks } = manager.planWave(1, { hasTool: (action) => action === 'x' });
    expect(plan.agents.flatMap(({ taskIds }) => taskIds)).toEqual(['good']);
    expect(
      tasks.map(({ taskId, plannedAgentId, impossible }) => [
        taskId,
        plannedAgentId,
        impossible?.message,
      ]),
    ).toEqual([
      ['good', expect.stringMatching(/^agent_/), undefined],
      ['code', null, 'no sandbox'],
      ['odd', null, 'no tool is named y'],
      ['self', null, 'Tasks wait for each other: self -> self'],
    ]);
  });

  it('lets go of a wave, and says then which are left', async () => {
    const manager = createAgentManager();
    await manager.load({
      tasks: linesOf({ task_id: 'a', action: 'x' }, { task_id: 'b', action: 'x', wave: 2 }),
    });
    manager.release(1);
    expect(() => manager.planWave(1)).toThrow('Wave 1 is not loaded; loaded waves: 2');
    expect(manager.loaded.waves).toEqual([1, 2]);
  });

  it('knows which tasks others wait for', async () => {
    const manager = createAgentManager();
    await manager.load({
      tasks: linesOf(
        { task_id: 'a', action: 'x' },
        { task_id: 'b', action: 'x', wave: 2, depends_on: ['a'] },
      ),
    });
    expect([manager.isAwaited('a'), manager.isAwaited('b')]).toEqual([true, false]);
  });
});
