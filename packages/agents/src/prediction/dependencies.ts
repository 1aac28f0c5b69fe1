import type { LoadProblem, LoadProblemKind } from './load-problem.ts';
import type { Prediction } from './prediction.ts';

/** A task that depends on others, and where it stands. */
export interface LinkedTask {
  prediction: Prediction;
  file: string;
  line: number;
}

/** Which tasks can never start: they wait for something unknown, for a later wave, or for each other. */
export function checkDependencies(
  linked: readonly LinkedTask[],
  waveById: ReadonlyMap<string, number>,
): { problems: LoadProblem[]; impossible: Map<string, string> } {
  const problems: LoadProblem[] = [];
  const impossible = new Map<string, string>();
  const report = (task: LinkedTask, kind: LoadProblemKind, path: string, message: string) => {
    const { file, line, prediction } = task;
    problems.push({ kind, file, line, taskId: prediction.taskId, path, message });
    if (!impossible.has(prediction.taskId)) impossible.set(prediction.taskId, message);
  };

  for (const task of linked) {
    const { dependsOn, wave } = task.prediction;
    dependsOn.forEach((id, at) => {
      const needed = waveById.get(id);
      const path = `depends_on[${at}]`;
      if (needed === undefined) {
        report(task, 'UNKNOWN_DEPENDENCY', path, `It depends on ${id}, which is not in the file`);
      } else if (needed > wave) {
        const message = `It is in wave ${wave} and depends on ${id}, which is in wave ${needed}`;
        report(task, 'LATER_DEPENDENCY', path, message);
      }
    });
  }
  for (const knot of findKnots(linked)) {
    const message = `Tasks wait for each other: ${describeKnot(knot)}`;
    for (const task of knot) report(task, 'DEPENDENCY_CYCLE', 'depends_on', message);
  }
  return { problems, impossible };
}

/**
 * The sets of tasks that wait for each other (strongly connected components, Tarjan 1972), each in the order of the file.
 * With a stack of its own: a chain may be longer than the call stack is deep.
 */
function findKnots(linked: readonly LinkedTask[]): LinkedTask[][] {
  const byId = new Map(linked.map((task) => [task.prediction.taskId, task]));
  const visits = new Map<string, Visit>();
  const open: Visit[] = [];
  const knots: LinkedTask[][] = [];
  const path: Visit[] = [];
  const enter = (task: LinkedTask) => {
    const visit = { task, next: 0, order: visits.size, lowest: visits.size, isOpen: true };
    visits.set(task.prediction.taskId, visit);
    path.push(visit);
    open.push(visit);
  };
  for (const start of linked) {
    if (!visits.has(start.prediction.taskId)) enter(start);
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const id = top.task.prediction.dependsOn[top.next++];
      if (id !== undefined) {
        const needed = byId.get(id);
        const seen = visits.get(id);
        if (seen?.isOpen) top.lowest = Math.min(top.lowest, seen.order);
        else if (needed && !seen) enter(needed);
        continue;
      }
      path.pop();
      const below = path.at(-1);
      if (below) below.lowest = Math.min(below.lowest, top.lowest);
      if (top.lowest < top.order) continue; // it belongs to the knot of one below
      const component = open.splice(open.lastIndexOf(top));
      for (const visit of component) visit.isOpen = false;
      const { taskId, dependsOn } = top.task.prediction;
      if (component.length > 1 || dependsOn.includes(taskId))
        knots.push(component.map(({ task }) => task));
    }
  }
  for (const knot of knots) knot.sort((a, b) => a.line - b.line);
  return knots.toSorted(([a], [b]) => (a?.line ?? 0) - (b?.line ?? 0));
}

interface Visit {
  task: LinkedTask;
  /** The dependency to look at next. */
  next: number;
  order: number;
  /** The lowest order of an open task that is reached from it. */
  lowest: number;
  /** Its knot is not known yet. */
  isOpen: boolean;
}

/** More ids than this would drown the message, and a knot may hold thousands. */
const MOST_IDS_SHOWN = 6;

function describeKnot(knot: readonly LinkedTask[]): string {
  const cycle = shortestCycle(knot);
  const isLong = cycle.length > MOST_IDS_SHOWN;
  const shown = isLong ? [...cycle.slice(0, MOST_IDS_SHOWN - 1), '…'] : cycle;
  const around = [...shown, cycle[0]].join(' -> ');
  return shown.length === knot.length ? around : `${around} (${knot.length} tasks in all)`;
}

/** The ids of a shortest cycle through the first task, breadth first. */
function shortestCycle([first, ...others]: readonly LinkedTask[]): string[] {
  if (!first) return [];
  const start = first.prediction.taskId;
  const byId = new Map([first, ...others].map((task) => [task.prediction.taskId, task]));
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const id of queue) {
    for (const needed of byId.get(id)?.prediction.dependsOn ?? []) {
      if (needed === start) return backTo(start, id, cameFrom);
      if (!byId.has(needed) || cameFrom.has(needed)) continue;
      cameFrom.set(needed, id);
      queue.push(needed); // grows while it is walked: that is the algorithm
    }
  }
  return [start];
}

function backTo(start: string, last: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const reversed = [];
  for (let id: string | undefined = last; id !== undefined && id !== start; id = cameFrom.get(id)) {
    reversed.push(id);
  }
  return [start, ...reversed.toReversed()];
}
