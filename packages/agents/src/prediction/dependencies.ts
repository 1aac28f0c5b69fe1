import type { LinkedTask, LoadProblem, LoadProblemKind } from './load.ts';

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
  for (const cycle of findCycles(linked)) {
    const around = cycle.map(({ prediction }) => prediction.taskId);
    const message = `Tasks wait for each other: ${[...around, around[0]].join(' -> ')}`;
    for (const task of cycle) report(task, 'DEPENDENCY_CYCLE', 'depends_on', message);
  }
  return { problems, impossible };
}

/**
 * One cycle for each knot of tasks that wait for each other. Depth-first with a stack of its own: a chain may be longer
 * than the call stack is deep.
 */
function findCycles(linked: readonly LinkedTask[]): LinkedTask[][] {
  const byId = new Map(linked.map((task) => [task.prediction.taskId, task]));
  const done = new Set<string>();
  const cycles: LinkedTask[][] = [];
  for (const start of linked) {
    const path: { task: LinkedTask; next: number }[] = [];
    const depthOf = new Map<string, number>();
    const enter = (task: LinkedTask) => {
      depthOf.set(task.prediction.taskId, path.length);
      path.push({ task, next: 0 });
    };
    if (!done.has(start.prediction.taskId)) enter(start);
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const { taskId, dependsOn } = top.task.prediction;
      const id = dependsOn[top.next++];
      if (id === undefined) {
        done.add(taskId);
        depthOf.delete(taskId);
        path.pop();
        continue;
      }
      const depth = depthOf.get(id);
      if (depth !== undefined) cycles.push(path.slice(depth).map(({ task }) => task));
      const needed = byId.get(id);
      if (depth === undefined && needed && !done.has(id)) enter(needed);
    }
  }
  return cycles;
}
