import { orderTasks, type PlannableTask } from './task-order.ts';

/**
 * The time before which no plan can end, in ms: the work at the speed of all slots together, the longest task and the
 * longest chain at that of the fastest.
 */
export function lowerBound(
  tasks: readonly PlannableTask[],
  agents: readonly { capacity: number; speed: number }[],
): number {
  let work = 0;
  for (const { durationMs } of tasks) work += durationMs;
  let speed = 0;
  let fastest = 0;
  for (const agent of agents) {
    speed += agent.speed * agent.capacity;
    fastest = Math.max(fastest, agent.speed);
  }
  // The longest chain begins with the task of the highest rank; a chain may be one task.
  const [first] = orderTasks(tasks, (_task, rankMs) => [rankMs, 0]);
  return Math.max(work / speed, (first?.rankMs ?? 0) / fastest);
}
