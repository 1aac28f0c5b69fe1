import { styleText } from 'node:util';
import type { Harness, OutcomeStatus } from '@buddy/agents';
import { createLogUpdate } from 'log-update';

/** Shows how a run comes on. */
export interface Progress {
  /** Leaves what was shown last. */
  stop(): void;
}

export interface ProgressTarget {
  stream: NodeJS.WritableStream & { isTTY?: boolean; columns?: number };
  environment: Readonly<Record<string, string | undefined>>;
}

interface WaveState {
  wave: number;
  tasks: number;
  done: number;
  waiting: number;
  completed: number;
  retries: number;
  health: string;
  isOver: boolean;
}

const BAR_CELLS = 24;
const REDRAW_MS = 100;

/** A bar for each wave on a terminal; a plain line for each wave elsewhere, and where NO_COLOR is set. */
export function showProgress(harness: Harness, { stream, environment }: ProgressTarget): Progress {
  const canDraw =
    stream.isTTY === true && (stream.columns ?? 0) > 0 && environment['TERM'] !== 'dumb';
  const isLive = canDraw && (environment['NO_COLOR'] ?? '') === '';
  const waves = follow(harness);
  return isLive ? drawBars(waves, stream) : printLines(harness, waves, stream);
}

function follow({ events }: Harness): WaveState[] {
  const waves: WaveState[] = [];
  events.on('waveStarted', ({ plan }) => {
    const tasks = plan.agents.reduce((sum, { taskIds }) => sum + taskIds.length, 0);
    waves.push({
      wave: plan.wave,
      tasks,
      done: 0,
      waiting: 0,
      completed: 0,
      retries: 0,
      health: '',
      isOver: false,
    });
  });
  events.on('taskRetrying', () => {
    const current = waves.at(-1);
    if (current) current.retries += 1;
  });
  events.on('taskWaiting', ({ outcome }) => {
    const state = waves.find(({ wave }) => wave === outcome.wave);
    if (state) state.waiting += 1;
  });
  events.on('taskSettled', ({ outcome }) => {
    const state = waves.find(({ wave }) => wave === outcome.wave);
    if (!state) return;
    // Counted against the plan: what was never planned is no part of the bar, and what waits has not ended.
    const isEnd = ENDS[outcome.status] && outcome.plannedAgentId !== null;
    state.done += isEnd ? 1 : 0;
    state.waiting += outcome.status === 'waiting' ? 1 : 0;
    state.completed += outcome.status === 'completed' ? 1 : 0;
  });
  events.on('waveCompleted', ({ wave, metrics }) => {
    const state = waves.find((known) => known.wave === wave);
    if (!state) return;
    state.isOver = true;
    const { score, status } = metrics.health;
    state.health = score === null ? status : `health ${score.toFixed(0)} ${status}`;
  });
  return waves;
}

/** What brings a wave nearer to its end. */
const ENDS: Record<OutcomeStatus, boolean> = {
  completed: true,
  failed: true,
  timed_out: true,
  denied: true,
  skipped: true,
  cancelled: false,
  waiting: false,
};

function printLines(
  { events }: Harness,
  waves: readonly WaveState[],
  stream: ProgressTarget['stream'],
): Progress {
  events.on('runStarted', ({ tasks, waves: chosen }) => {
    stream.write(`${tasks} tasks loaded; waves to run: ${chosen.join(', ')}\n`);
  });
  events.on('waveCompleted', ({ wave }) => {
    const state = waves.find((known) => known.wave === wave);
    if (state) stream.write(`${describe(state)}\n`);
  });
  return { stop: () => undefined };
}

function drawBars(waves: readonly WaveState[], stream: ProgressTarget['stream']): Progress {
  const update = createLogUpdate(stream);
  const draw = () => update(waves.map(bar).join('\n'));
  const timer = setInterval(draw, REDRAW_MS);
  return {
    stop: () => {
      clearInterval(timer);
      draw();
      update.done();
    },
  };
}

function bar(state: WaveState): string {
  const share = state.tasks === 0 ? 1 : Math.min(1, state.done / state.tasks);
  const filled = Math.round(share * BAR_CELLS);
  const cells = '█'.repeat(filled) + '░'.repeat(BAR_CELLS - filled);
  return `${styleText(state.isOver && state.done + state.waiting >= state.tasks ? 'green' : 'cyan', cells)} ${describe(state)}`;
}

function describe({ wave, tasks, done, waiting, completed, retries, health }: WaveState): string {
  const wait = waiting === 0 ? '' : `${waiting} wait, `;
  const counts = `wave ${wave}: ${done}/${tasks} done, ${wait}${completed} completed, ${retries} retries`;
  return health === '' ? counts : `${counts}, ${health}`;
}
