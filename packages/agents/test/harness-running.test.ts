import {
  type AgentInput,
  type Anomaly,
  createEngine,
  type Engine,
  type Workflow,
} from '@buddy/agents';
import { type Clock, defineTool, ManualClock } from '@buddy/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
// Its tools bear these names on every engine; nobody else should call them.
import { SYSTEM_ACTOR, SYSTEM_TOOLS } from '../src/orchestration/policy.ts';
import { prepare, tasks, TestFailure, workflowsOf } from './harness-fixture.ts';

/** Fails at once so many times, then takes its time; and the most that each agent did at once. */
function countingTool(clock: Clock) {
  const running = new Map<string, number>();
  const peaks = new Map<string, number>();
  const tool = defineTool({
    name: 'test.work',
    description: 'Counts who is at work.',
    tier: 1,
    effect: 'pure',
    input: z.strictObject({ ms: z.number(), failures: z.number() }),
    output: z.null(),
    execute: async ({ ms, failures }, { actor, attempt, signal }) => {
      const now = (running.get(actor.id) ?? 0) + 1;
      running.set(actor.id, now);
      peaks.set(actor.id, Math.max(peaks.get(actor.id) ?? 0, now));
      try {
        await clock.sleep(attempt <= failures ? 1 : ms, signal);
      } finally {
        running.set(actor.id, (running.get(actor.id) ?? 0) - 1);
      }
      if (attempt <= failures) throw new TestFailure('not yet', { retryable: true });
      return null;
    },
  });
  return { tool, peaks };
}

async function peaksOf(
  agents: readonly AgentInput[],
  inputs: readonly { ms: number; failures: number }[],
): Promise<ReadonlyMap<string, number>> {
  const clock = new ManualClock();
  const { tool, peaks } = countingTool(clock);
  const { run } = await prepare({
    clock,
    input: { agents: [...agents], backoff: { kind: 'exponential', baseMs: 50 } },
    lines: tasks(inputs.length, (at) => ({ input: inputs[at] })),
    makeTools: () => [tool],
  });
  expect(await run()).toMatchObject({ counts: { completed: inputs.length } });
  return peaks;
}

describe('an agent', () => {
  it('does as much at once as its capacity, and no more when all its retries fall due together', async () => {
    const inputs = Array.from({ length: 12 }, () => ({ ms: 10_000, failures: 1 }));
    expect(await peaksOf([{ id: 'ada', capacity: 2 }], inputs)).toEqual(new Map([['ada', 2]]));
  });

  it('never does more at once than its capacity, however first tries and retries meet', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
        fc.array(fc.record({ ms: fc.integer({ min: 1, max: 200 }), failures: fc.nat(2) }), {
          minLength: 1,
          maxLength: 20,
        }),
        async (capacities, inputs) => {
          const agents = capacities.map((capacity, at) => ({ id: `agent_${at}`, capacity }));
          const peaks = await peaksOf(agents, inputs);
          for (const { id, capacity } of agents) {
            expect(peaks.get(id) ?? 0).toBeLessThanOrEqual(capacity);
          }
        },
      ),
      { numRuns: 40 },
    ));
});

describe('a wave in which nothing happens any more', () => {
  it('has stalled after three times the longest prediction, and is critical after nine times', async () => {
    const startedAt = Date.UTC(2026, 0, 1);
    const { harness, run } = await prepare({
      clock: new ManualClock(startedAt),
      input: { agents: [{ id: 'ada' }, { id: 'ben' }], taskTimeoutMs: 3_600_000 },
      // The first is predicted to take 2 s, and hangs; the others take a second each, as predicted.
      lines: tasks(5, (at) => ({
        predicted_execution_time: at === 0 ? 2 : 1,
        input: { ms: at === 0 ? 60_000 : 1_000 },
      })),
    });
    const heard: { at: number; anomaly: Anomaly }[] = [];
    harness.events.on('anomalyDetected', (event) => heard.push(event));
    await run();
    // Silent since 4 s, looked at every 2 s: for more than 6 s at 12 s, for more than 18 s at 24 s.
    const stalls = heard.filter(({ anomaly }) => anomaly.kind === 'stalled');
    expect(stalls.map(({ at, anomaly }) => [at - startedAt, anomaly.severity])).toEqual([
      [12_000, 'warning'],
      [24_000, 'critical'],
    ]);
    expect(stalls[0]?.anomaly).toMatchObject({ wave: 1, evidence: ['t0'] });
  });
});

describe('a run forgets what is over', () => {
  it('the workflows of agents and of retried tasks', async () => {
    const clock = new ManualClock();
    const engine = createEngine({ clock });
    const { harness, run } = await prepare({
      clock,
      engine,
      lines: tasks(60, (at) => ({ wave: 1 + (at % 2), input: { failures: 1 + (at % 2) } })),
    });
    let retries = 0;
    harness.events.on('taskRetrying', () => (retries += 1));
    await run();
    expect(retries).toBe(90); // half of the tasks once, the other half twice
    expect(await workflowsOf(engine)).toEqual([
      { id: 'run-1', workflow: 'run', status: 'completed', cancelReason: null },
    ]);
  });

  it('the predictions of waves that were planned', async () => {
    const { harness, run } = await prepare({ lines: tasks(2, (at) => ({ wave: at + 1 })) });
    await run();
    expect(() => harness.manager.planWave(1)).toThrow(
      expect.objectContaining({
        code: 'AGENTS_HARNESS_MISUSE',
        message: 'Wave 1 is not loaded; loaded waves: none',
      }),
    );
  });

  it('the queues of waves that are closed', async () => {
    const clock = new ManualClock();
    const engine = createEngine({ clock });
    const { run } = await prepare({
      clock,
      engine,
      input: { agents: [{ id: 'ada' }] },
      lines: tasks(2, (at) => ({ wave: at + 1 })),
    });
    await run();
    expect(await clock.run(() => claimOf(engine, 1))).toMatchObject({
      kind: 'failed',
      failure: { message: expect.stringContaining('Wave 1 was never opened') },
    });
  });
});

/** What a workflow hears that asks a wave for work on behalf of ada. */
async function claimOf(engine: Engine, wave: number): Promise<unknown> {
  const claim: Workflow = (ctx) =>
    ctx.activity({
      key: 'claim',
      tool: SYSTEM_TOOLS.claim,
      input: { wave, agentId: 'ada' },
      work: 'claim',
      actor: SYSTEM_ACTOR,
      rationale: 'a test',
      attempt: 1,
    });
  engine.register({ workflows: { claim }, tools: [], lanes: {} });
  await engine.start('claim', 'claim', null);
  const result = await engine.result('claim');
  return result.kind === 'completed' ? result.value : result;
}
