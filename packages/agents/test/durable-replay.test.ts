import { createEngine, createHarness, type Fact, type Work } from '@buddy/agents';
import { BuddyError, countingId, defineTool, ManualClock, type Tool } from '@buddy/core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
// Orchestration is no part of the public face: it is what every engine must be able to run.
import { systemTool } from '../src/execution/system-tool.ts';
import { parkedWorkflow } from '../src/orchestration/parked.ts';
import { SYSTEM_TOOLS, type TaskPolicy } from '../src/orchestration/policy.ts';
import { retryWorkflow } from '../src/orchestration/retry.ts';
import { type RunInput, runWorkflow } from '../src/orchestration/run.ts';
import { slotWorkflow } from '../src/orchestration/slot.ts';
import { Remembered } from './remembered.ts';

class BusyError extends BuddyError {
  readonly code = 'TEST_BUSY';
}

const TASKS = ['steady-1', 'flaky-1', 'bad-1', 'steady-2', 'flaky-2'];

function workOf(taskId: string, at: number): Work {
  return {
    taskId,
    wave: 1,
    action: 'demo.do',
    input: { taskId },
    priority: 0,
    effect: 'keyed',
    canReconcile: false,
    plannedAgentId: `agent_${at % 2}`,
    isControl: false,
    heuristics: [],
    successProbability: 0.5,
    calibratedProbability: 0.5,
    predictedDurationMs: 100,
    queuedAt: 0,
  };
}

interface Call {
  taskId: string;
  attempt: number;
  key: string;
}

const ClaimedWork = z.object({ value: z.object({ work: z.object({ taskId: z.string() }) }) });
const done = async () => ({ kind: 'done' });

/** One process: an engine over the journal, the tools, and a host that knows from the journal what was claimed. */
async function runProcess(journal: Remembered, upToMs: number) {
  const clock = new ManualClock();
  const calls: Call[] = [];
  const facts: Fact[] = [];
  const claimed = new Set(
    journal.operations.flatMap((operation) => {
      if (operation.kind !== 'recorded' || !operation.key.startsWith('claim/')) return [];
      const claim = ClaimedWork.safeParse(JSON.parse(operation.value));
      return claim.success ? [claim.data.value.work.taskId] : [];
    }),
  );
  const queue = TASKS.map(workOf).filter(({ taskId }) => !claimed.has(taskId));
  const tools: Tool[] = [
    systemTool(SYSTEM_TOOLS.openWave, 'Opens', async () => ({
      wave: 1,
      startedAt: 0,
      slots: [0, 1].map((n) => ({ agentId: `agent_${n}`, slot: 0 })),
    })),
    systemTool(SYSTEM_TOOLS.closeWave, 'Closes', async () => undefined),
    systemTool(SYSTEM_TOOLS.claim, 'Claims', async ({ agentId }: { agentId: string }) => {
      const at = queue.findIndex((work) => work.plannedAgentId === agentId);
      const [work] = at < 0 ? [] : queue.splice(at, 1);
      return work ? { kind: 'work', work } : { kind: 'done' };
    }),
    systemTool(SYSTEM_TOOLS.claimHeld, 'Claims', done),
    systemTool(SYSTEM_TOOLS.claimAny, 'Claims', done),
    systemTool('demo.do', 'Does', async ({ taskId }: { taskId: string }, context) => {
      calls.push({ taskId, attempt: context.attempt, key: context.idempotencyKey });
      await clock.sleep(100);
      if (taskId.startsWith('flaky') && context.attempt < 3) {
        throw new BusyError('busy', { retryable: true });
      }
      if (taskId.startsWith('bad')) throw new BusyError('never');
      return { did: taskId };
    }),
  ];
  const engine = createEngine({ clock, store: journal.open() });
  engine.register({
    workflows: {
      run: runWorkflow,
      slot: slotWorkflow,
      retry: retryWorkflow,
      parked: parkedWorkflow,
    },
    tools,
    lanes: { agent_0: 1, agent_1: 1 },
  });
  engine.subscribe((fact: Fact) => facts.push(fact));
  const policy: TaskPolicy = {
    runId: 'run-1',
    maxAttempts: 3,
    backoff: { kind: 'exponential', baseMs: 1_000, capMs: 60_000, fullJitter: false },
    taskTimeoutMs: 60_000,
    maxRetryAfterMs: 60_000,
    healTimeoutMs: 60_000,
    verdictTimeoutMs: 60_000,
    seed: 1,
    canHeal: false,
  };
  const input: RunInput = { waves: [1], policy };
  await engine.open();
  const over = engine.start('run-1', 'run', input).then(() => engine.result('run-1'));
  await clock.advance(upToMs);
  const isOver = await Promise.race([over.then(() => true), tick()]);
  await engine.close();
  return { calls, facts, isOver };
}

async function tick(): Promise<false> {
  await new Promise((resolve) => setImmediate(resolve));
  return false;
}

/** What was told, without the times. */
function gist(facts: readonly Fact[]): string[] {
  return facts
    .map((fact) => {
      switch (fact.kind) {
        case 'taskStarted':
          return `${fact.taskId} started by ${fact.agentId}`;
        case 'attemptEnded':
          return `${fact.attempt.taskId} attempt ${fact.attempt.attempt} ${fact.attempt.status}`;
        case 'taskSettled':
          return `${fact.outcome.taskId} ${fact.outcome.status} after ${fact.outcome.attempts}`;
        case 'runBegan':
        case 'taskWaiting':
        case 'healingEnded':
        case 'verdictTaken':
        case 'verdictDone':
        case 'onlyWaiting':
          return fact.kind;
      }
    })
    .toSorted();
}

const LONG_ENOUGH_MS = 100_000;

describe('a run over a journal that remembers', () => {
  it('goes on after a crash at any record, repeats nothing that is recorded, and ends the same', async () => {
    const whole = new Remembered();
    const undisturbed = await runProcess(whole, LONG_ENOUGH_MS);
    expect(undisturbed.isOver).toBe(true);
    expect(whole.operations.length).toBeGreaterThan(30);
    for (let diesAfter = 0; diesAfter < whole.operations.length; diesAfter++) {
      const journal = new Remembered();
      journal.diesAfter = diesAfter;
      const first = await runProcess(journal, LONG_ENOUGH_MS);
      expect(first.isOver).toBe(false);
      journal.diesAfter = Infinity;
      const recorded = journal.operations.flatMap((operation) =>
        operation.kind === 'recorded' ? [operation.key] : [],
      );
      const second = await runProcess(journal, LONG_ENOUGH_MS);
      expect(second.isOver).toBe(true);
      expect(gist([...first.facts, ...second.facts])).toEqual(gist(undisturbed.facts));
      for (const { taskId, attempt } of second.calls) {
        const isRecorded = recorded.includes(`${taskId}/call/${attempt}`);
        expect(isRecorded).toBe(false);
      }
      const keys = new Set(
        [...first.calls, ...second.calls].map(({ taskId, key }) => taskId + key),
      );
      expect(keys.size).toBe(TASKS.length); // one key per task, whichever process asks
    }
  });

  it('that is over is over for the next process, too: no tool is called, no fact told again', async () => {
    const journal = new Remembered();
    await runProcess(journal, LONG_ENOUGH_MS);
    const again = await runProcess(journal, LONG_ENOUGH_MS);
    expect(again).toEqual({ calls: [], facts: [], isOver: true });
  });
});

describe('a harness over a journal', () => {
  it('puts only JSON through it, and uses no key twice in a workflow', async () => {
    const clock = new ManualClock();
    const tool = defineTool({
      name: 'demo.flip',
      description: 'Succeeds or not.',
      tier: 1,
      effect: 'pure',
      input: z.object({ taskId: z.string() }).loose(),
      output: z.object({ isDone: z.boolean() }),
      execute: async ({ taskId }, { attempt }) => {
        await clock.sleep(100);
        if (taskId === 't2' && attempt === 1) throw new BusyError('busy', { retryable: true });
        if (taskId === 't3') throw new BusyError('never');
        return { isDone: true };
      },
    });
    const harness = createHarness(
      { agents: [{ id: 'ada', capacity: 2 }, { id: 'bob' }], defaultAction: 'demo.flip' },
      {
        tools: [tool],
        clock,
        newId: countingId('run'),
        engine: createEngine({ clock, store: new Remembered().open() }),
      },
    );
    const records = Array.from({ length: 12 }, (_, at) => ({
      task_id: `t${at}`,
      wave: 1 + (at % 2),
      predicted_success_probability: 0.5,
      depends_on: at > 2 ? [`t${at - 2}`] : [],
    }));
    const tasks = [records.map((record) => JSON.stringify(record)).join('\n')];
    const { status, counts } = await clock.run(async () => {
      await harness.load({ tasks });
      return harness.run();
    });
    expect(status).toBe('completed');
    // t3 fails, and with it the chain behind it: t5, t7, t9, t11
    expect(counts).toMatchObject({ completed: 7, failed: 1, skipped: 4 });
  });
});
