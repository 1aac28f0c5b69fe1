import type { Plan } from '../plan/plan.ts';
import type { Outcome } from '../task/outcome.ts';
import type { WaveRecord } from './learning.ts';
import { FEWEST_OBSERVATIONS } from './options.ts';
import type { CoordinationSignal } from './signals.ts';
import { getOrAdd, sumOf } from './wave-tally.ts';

/** Beyond this, the busiest agent has a quarter more to do than its share. */
const MOST_IMBALANCE = 1.25;

/** How long each agent was busy in each wave that is not closed yet. */
export class BusyTimes {
  /** By wave, then by agent. */
  readonly #spans = new Map<number, Map<string, number[]>>();
  /** Tasks that stood aside: the time until they went on was nobody's. */
  readonly #stoodAside = new Set<string>();

  noteWaiting(taskId: string): void {
    this.#stoodAside.add(taskId);
  }

  add({ taskId, wave, agentId, startedAt, endedAt, attemptMs }: Outcome): void {
    const stoodAside = this.#stoodAside.delete(taskId);
    if (agentId === null || startedAt === null || endedAt === null) return;
    const ofWave = getOrAdd(this.#spans, wave, () => new Map<string, number[]>());
    getOrAdd(ofWave, agentId, () => []).push(stoodAside ? attemptMs : endedAt - startedAt);
  }

  /** The signal of a wave; what is remembered of it, and of those before it, is let go. */
  close(record: WaveRecord): CoordinationSignal {
    const spans = this.#spans.get(record.wave) ?? new Map<string, number[]>();
    for (const wave of this.#spans.keys()) {
      if (wave <= record.wave) this.#spans.delete(wave);
    }
    return coordinationSignal(record, spans);
  }
}

function coordinationSignal(
  { plan, startedAt, endedAt, steals }: WaveRecord,
  spans: ReadonlyMap<string, readonly number[]>,
): CoordinationSignal {
  const makespanMs = endedAt - startedAt;
  const { lowerBoundMs } = plan;
  const ratio = lowerBoundMs === 0 ? 1 : makespanMs / lowerBoundMs;
  const n = [...spans.values()].reduce((sum, { length }) => sum + length, 0);
  const { imbalance, busyMs, capacity } = sharing(plan, spans);
  return {
    value: ratio,
    n,
    confidence: n === 0 ? 0 : 1, // measured, not estimated
    recommendation: n >= FEWEST_OBSERVATIONS && imbalance > MOST_IMBALANCE ? 'rebalance' : 'keep',
    makespanMs,
    lowerBoundMs,
    ratio,
    imbalance,
    steals,
    idleMs: Math.max(0, capacity * makespanMs - busyMs),
  };
}

function sharing({ agents }: Plan, spans: ReadonlyMap<string, readonly number[]>) {
  let capacity = 0;
  let busyMs = 0;
  let busiestMs = 0;
  for (const agent of agents) {
    const ofAgent = sumOf(spans.get(agent.agentId) ?? []);
    capacity += agent.capacity;
    busyMs += ofAgent;
    busiestMs = Math.max(busiestMs, ofAgent / agent.capacity);
  }
  return { capacity, busyMs, imbalance: busyMs === 0 ? 1 : busiestMs / (busyMs / capacity) };
}
