import { EventEmitter } from 'eventemitter3';
import * as fastq from 'fastq';
import pLimit from 'p-limit';
import PQueue from 'p-queue';
import { z } from 'zod';
import {
  createAgentExecutor,
  createEngine,
  createHarness,
  type DurableContext,
  MemoryOutput,
  type Output,
} from '../../packages/agents/src/index.ts';
import { defineTool, type Tool } from '../../packages/core/src/index.ts';
import type { Figure, Target } from '../measure/figure.ts';
import { type Contender, summary, timeRounds } from '../measure/rounds.ts';

const TASKS = 10_000;
const WIDE = 4;
/** The rival to keep up with. */
const RIVAL = 'p-queue, with an outcome and an event';

/** What it costs to start a task that does nothing, and to notice that it has ended. */
export async function measureDispatch(): Promise<Figure[]> {
  const contest = await usPerTask([executeWave, ...peers()]);
  const rival = contest.find(({ name }) => name === RIVAL)?.measured ?? Number.NaN;
  const target: Target = { is: 'at most', value: rival, from: 'p-queue beside it' };
  const layers = await usPerTask(buddyLayers);
  return [...contest.map((figure) => (figure.isPeer ? figure : { ...figure, target })), ...layers];
}

async function usPerTask(contenders: readonly Contender[]): Promise<Figure[]> {
  const times = await timeRounds(contenders, { rounds: 21, warmUps: 4 });
  return contenders.map(({ name, isPeer = false }) => {
    const us = (times.get(name) ?? []).map((ms) => (ms * 1000) / TASKS);
    return { name, unit: 'us', ...summary(us), isPeer };
  });
}

const executeWave: Contender = {
  name: 'Buddy, executeWave with events and outcomes',
  prepare: () => executor(noop(z.unknown(), z.unknown()), undefined),
};

/** What the same costs further down, and further up. */
const buddyLayers: Contender[] = [
  { name: 'Buddy, the engine alone (activities of four workflows)', prepare: engine },
  {
    name: 'Buddy, executeWave of a tool that checks what goes in and out',
    prepare: () => executor(noop(Address, Contact), { email: 'ada@example.com' }),
  },
  {
    name: 'Buddy, a whole run of the harness (feedback, monitor), files thrown away',
    prepare: () => harness(new NullOutput()),
  },
  {
    name: 'Buddy, a whole run of the harness, files in memory',
    prepare: () => harness(new MemoryOutput()),
  },
];

const ACTION = 'bench.nothing.do';
const Address = z.strictObject({ email: z.string() });
const Contact = z.strictObject({ id: z.string() });

function noop(input: z.ZodType, output: z.ZodType): Tool {
  return defineTool({
    name: ACTION,
    description: 'Does nothing',
    tier: 1,
    effect: 'pure',
    input,
    output,
    execute: () => ({ id: 'contact-1' }),
  });
}

function executor(tool: Tool, input: unknown): () => Promise<void> {
  const agent = { id: 'ada', capacity: WIDE };
  const one = createAgentExecutor({ agent }, { tools: [tool] });
  let heard = 0;
  one.events.on('taskSettled', ({ outcome }) => (heard += Number(outcome.status === 'completed')));
  const tasks = taskIds().map((taskId) => ({ taskId, action: ACTION, input }));
  return async () => {
    const outcomes = await one.executeWave(tasks);
    expectAll(outcomes.length, heard);
  };
}

function engine(): () => Promise<void> {
  const one = createEngine();
  const left = taskIds();
  let done = 0;
  const slot = async (ctx: DurableContext) => {
    for (let taskId = left.pop(); taskId !== undefined; taskId = left.pop()) {
      const { kind } = await ctx.activity({
        key: taskId,
        tool: ACTION,
        input: undefined,
        work: taskId,
        actor: { kind: 'agent', id: 'ada' },
        rationale: 'a benchmark',
        attempt: 1,
        lane: 'ada',
        timeoutMs: 60_000,
      });
      done += Number(kind === 'succeeded');
    }
  };
  one.register({
    workflows: { slot },
    tools: [noop(z.unknown(), z.unknown())],
    lanes: { ada: WIDE },
  });
  return async () => {
    const ids = Array.from({ length: WIDE }, (_, at) => `slot-${at}`);
    for (const id of ids) await one.start(id, 'slot', null);
    for (const id of ids) await one.result(id);
    await one.close();
    expectAll(done);
  };
}

async function harness(output: Output): Promise<() => Promise<void>> {
  const agents = Array.from({ length: WIDE }, (_, at) => ({ id: `agent_${at}`, capacity: 1 }));
  const one = createHarness({ agents }, { tools: [noop(z.unknown(), z.unknown())], output });
  const lines = taskIds().map((task_id) => {
    const line = { task_id, predicted_success_probability: 0.9, predicted_execution_time: 1 };
    return `${JSON.stringify({ ...line, action: ACTION })}\n`;
  });
  await one.load({ tasks: lines });
  return async () => {
    const { counts } = await one.run();
    await one.close();
    expectAll(counts.completed);
  };
}

class NullOutput implements Output {
  readonly isCongested = false;
  append(): void {}
  async write(): Promise<void> {}
  async flush(): Promise<void> {}
  async close(): Promise<void> {}
}

/** Each bare, as its README shows it; and made to leave behind what Buddy does: an outcome and an event for each task. */
function peers(): Contender[] {
  return (['with an outcome and an event', 'bare'] as const).flatMap((kind) => {
    const makeTask = kind === 'bare' ? bareTask : recordedTask;
    return [
      { name: `p-queue, ${kind}`, isPeer: true, prepare: () => withPQueue(makeTask) },
      { name: `p-limit, ${kind}`, isPeer: true, prepare: () => withPLimit(makeTask) },
      { name: `fastq, ${kind}`, isPeer: true, prepare: () => withFastq(makeTask) },
    ];
  });
}

/** Makes what is to be queued, and what tells how many of them were done. */
type MakeTask = () => { task: (taskId: string) => Promise<void>; done: () => number };

const doNothing = async (): Promise<unknown> => ({ id: 'contact-1' });

const bareTask: MakeTask = () => {
  let done = 0;
  const task = async () => {
    await doNothing();
    done += 1;
  };
  return { task, done: () => done };
};

const recordedTask: MakeTask = () => {
  const events = new EventEmitter<{ taskSettled: [event: { outcome: object; output: unknown }] }>();
  const outcomes: object[] = [];
  let heard = 0;
  events.on('taskSettled', () => (heard += 1));
  const task = async (taskId: string) => {
    const startedAt = Date.now();
    let status = 'completed';
    let failure: unknown = null;
    let output: unknown;
    try {
      output = await doNothing();
    } catch (error) {
      status = 'failed';
      failure = error;
    }
    const outcome = {
      taskId,
      action: ACTION,
      status,
      startedAt,
      endedAt: Date.now(),
      attempts: 1,
      failure,
    };
    outcomes.push(outcome);
    events.emit('taskSettled', { outcome, output });
  };
  return { task, done: () => Math.min(heard, outcomes.length) };
};

function withPQueue(makeTask: MakeTask): () => Promise<void> {
  const { task, done } = makeTask();
  const ids = taskIds();
  return async () => {
    const queue = new PQueue({ concurrency: WIDE });
    for (const taskId of ids) void queue.add(() => task(taskId));
    await queue.onIdle();
    expectAll(done());
  };
}

function withPLimit(makeTask: MakeTask): () => Promise<void> {
  const { task, done } = makeTask();
  const ids = taskIds();
  return async () => {
    const limit = pLimit(WIDE);
    await Promise.all(ids.map((taskId) => limit(task, taskId)));
    expectAll(done());
  };
}

function withFastq(makeTask: MakeTask): () => Promise<void> {
  const { task, done } = makeTask();
  const ids = taskIds();
  return async () => {
    const queue = fastq.promise(task, WIDE);
    for (const taskId of ids) void queue.push(taskId);
    await queue.drained();
    expectAll(done());
  };
}

function taskIds(): string[] {
  return Array.from({ length: TASKS }, (_, at) => `task-${at}`);
}

/** A contender that leaves work out must not look fast. */
function expectAll(...counts: readonly number[]): void {
  for (const count of counts) {
    if (count !== TASKS) throw new Error(`${count} tasks were done instead of ${TASKS}`);
  }
}
