import type { OrderedTask, PlannableTask } from './task-order.ts';

/** The slots of one agent while a plan is made. */
interface AgentSlots {
  /** When the agent would be done with the task, in ms after the start of the wave. */
  finishOf(task: PlannableTask): number;
}

/** Chooses an agent for a task, by its index. */
export type Choose = (task: PlannableTask, agents: readonly AgentSlots[]) => number;

export interface Assignment {
  /** Per agent, in the order in which they start. */
  taskIds: string[][];
  /** Per agent, the busy time of all its slots. */
  loadMs: number[];
  makespanMs: number;
}

/** Where the task would be done first; the first of several. */
export const earliestFinish: Choose = (task, agents) => {
  let best = 0;
  let bestFinish = Infinity;
  for (let at = 0; at < agents.length; at++) {
    const finish = agents[at]?.finishOf(task) ?? Infinity;
    if (finish < bestFinish) {
      best = at;
      bestFinish = finish;
    }
  }
  return best;
};

/** Gives each task, in order, to the agent that `choose` names, and follows when it would start and end there. */
export function assign(
  ordered: readonly OrderedTask[],
  agents: readonly { capacity: number; speed: number }[],
  choose: Choose,
): Assignment {
  const finishes = new Map<string, number>(); // of tasks that others may wait for
  const isAwaited = new Set(ordered.flatMap(({ task }) => task.dependsOn));
  const slots = agents.map(({ capacity, speed }) => new Slots(capacity, speed, finishes));
  const taskIds = agents.map((): string[] => []);
  let makespanMs = 0;
  for (const { task } of ordered) {
    const at = choose(task, slots);
    const finish = slots[at]?.take(task) ?? 0;
    taskIds[at]?.push(task.taskId);
    if (isAwaited.has(task.taskId)) finishes.set(task.taskId, finish);
    makespanMs = Math.max(makespanMs, finish);
  }
  return { taskIds, loadMs: slots.map(({ loadMs }) => loadMs), makespanMs };
}

class Slots implements AgentSlots {
  loadMs = 0;
  readonly #speed: number;
  readonly #freeAt: Float64Array;
  readonly #finishes: ReadonlyMap<string, number>;

  constructor(capacity: number, speed: number, finishes: ReadonlyMap<string, number>) {
    this.#speed = speed;
    this.#freeAt = new Float64Array(capacity);
    this.#finishes = finishes;
  }

  finishOf(task: PlannableTask): number {
    const free = this.#freeAt[this.#firstFree()] ?? 0;
    return Math.max(free, this.#readyAt(task)) + task.durationMs / this.#speed;
  }

  take(task: PlannableTask): number {
    const finish = this.finishOf(task);
    this.#freeAt[this.#firstFree()] = finish;
    this.loadMs += task.durationMs / this.#speed;
    return finish;
  }

  #firstFree(): number {
    let first = 0;
    for (let at = 1; at < this.#freeAt.length; at++) {
      if ((this.#freeAt[at] ?? 0) < (this.#freeAt[first] ?? 0)) first = at;
    }
    return first;
  }

  #readyAt({ dependsOn }: PlannableTask): number {
    let readyAt = 0;
    for (const id of dependsOn) readyAt = Math.max(readyAt, this.#finishes.get(id) ?? 0);
    return readyAt;
  }
}
