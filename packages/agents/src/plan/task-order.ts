/** A task as a planner sees it. Durations are for an agent of speed 1. */
export interface PlannableTask {
  taskId: string;
  action: string;
  durationMs: number;
  priority: number;
  confidence: number;
  calibratedProbability: number;
  /** Tasks of the same wave that must be done before. */
  dependsOn: readonly string[];
}

/** Tasks in an order in which each comes after what it depends on. */
export interface OrderedTask<Task extends PlannableTask = PlannableTask> {
  task: Task;
  /** Its duration and that of the longest chain that waits for it (the upward rank of list scheduling). */
  rankMs: number;
}

/** What decides who goes first: highest first, one number after the other. */
export type Urgency = (task: PlannableTask, rankMs: number) => readonly [number, number];

/**
 * Orders tasks by urgency. What others wait for is at least as urgent as they are, so that no order ever puts a task before
 * what it depends on; ties keep the order given. Tasks that wait for each other must not be handed in.
 */
export function orderTasks<Task extends PlannableTask>(
  tasks: readonly Task[],
  urgency: Urgency,
): OrderedTask<Task>[] {
  const ranks = upwardRanks(tasks);
  const keyed = tasks.map((task, at) => {
    const rankMs = ranks.get(task.taskId)?.rankMs ?? task.durationMs;
    const [first, second] = urgency(task, rankMs);
    return { task, at, rankMs, first, second, depth: ranks.get(task.taskId)?.depth ?? 0 };
  });
  if (ranks.size > 0) inheritUrgency(keyed);
  keyed.sort(
    (a, b) => b.first - a.first || b.second - a.second || b.depth - a.depth || a.at - b.at,
  );
  return keyed.map(({ task, rankMs }) => ({ task, rankMs }));
}

interface Keyed {
  task: PlannableTask;
  first: number;
  second: number;
  /** How many tasks follow in the longest chain behind it. */
  depth: number;
}

/** Ranks of the tasks that have a part in some chain; of the others, the rank is the duration. */
function upwardRanks(
  tasks: readonly PlannableTask[],
): Map<string, { rankMs: number; depth: number }> {
  const ranks = new Map<string, { rankMs: number; depth: number }>();
  if (tasks.every(({ dependsOn }) => dependsOn.length === 0)) return ranks;
  for (const task of dependentsFirst(tasks)) {
    const own = ranks.get(task.taskId);
    const rankMs = task.durationMs + (own?.rankMs ?? 0);
    const depth = own?.depth ?? 0;
    if (own || task.dependsOn.length > 0) ranks.set(task.taskId, { rankMs, depth });
    for (const id of task.dependsOn) {
      const known = ranks.get(id);
      ranks.set(id, {
        rankMs: Math.max(known?.rankMs ?? 0, rankMs),
        depth: Math.max(known?.depth ?? 0, depth + 1),
      });
    }
  }
  return ranks;
}

/** Each task after all that depend on it (Kahn 1962, against the arrows). */
function dependentsFirst(tasks: readonly PlannableTask[]): PlannableTask[] {
  const byId = new Map(tasks.map((task) => [task.taskId, task]));
  const waitingFor = new Map<string, number>();
  for (const { dependsOn } of tasks) {
    for (const id of dependsOn) waitingFor.set(id, (waitingFor.get(id) ?? 0) + 1);
  }
  const order = tasks.filter(({ taskId }) => !waitingFor.has(taskId));
  for (const { dependsOn } of order) {
    for (const id of dependsOn) {
      const left = (waitingFor.get(id) ?? 0) - 1;
      waitingFor.set(id, left);
      const needed = byId.get(id);
      if (left === 0 && needed) order.push(needed); // grows while it is walked: that is the algorithm
    }
  }
  return order;
}

function inheritUrgency(keyed: readonly Keyed[]): void {
  const byId = new Map(keyed.map((entry) => [entry.task.taskId, entry]));
  for (const entry of keyed.toSorted((a, b) => a.depth - b.depth)) {
    for (const id of entry.task.dependsOn) {
      const needed = byId.get(id);
      if (!needed) continue;
      const isMoreUrgent =
        entry.first > needed.first ||
        (entry.first === needed.first && entry.second > needed.second);
      if (isMoreUrgent) [needed.first, needed.second] = [entry.first, entry.second];
    }
  }
}
