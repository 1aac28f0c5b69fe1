import type { Attempt, AttemptStatus } from '../../task/outcome.ts';

/** What an agent's time went into: attempts that succeeded, that were tried again, that failed for good, and the rest. */
export type TimeUse = 'succeeded' | 'retried' | 'failed' | 'other';

export const TIME_USES = ['succeeded', 'retried', 'failed', 'other'] as const;

export interface AgentTimeline {
  agentId: string;
  /** How many tasks it can work on at once. */
  capacity: number;
  /** Time in attempts per bucket, in ms, all its slots together. */
  busyMs: Readonly<Record<TimeUse, readonly number[]>>;
}

export interface WaveSpan {
  wave: number;
  /** ms since the Unix epoch, as everywhere. */
  startedAt: number;
  endedAt: number;
}

export interface Timeline {
  startedAt: number;
  endedAt: number;
  bucketMs: number;
  agents: readonly AgentTimeline[];
  waves: readonly WaveSpan[];
}

export interface TimelineCollector {
  /** Takes an attempt into account; an agent that was not named at the start is added with capacity 1. */
  observe(attempt: Attempt): void;
  /** Notes a wave that has ended. */
  closeWave(span: WaveSpan): void;
  timeline(): Timeline;
}

export interface TimelineOptions {
  /** When the run began, in ms since the Unix epoch. */
  startedAt: number;
  agents: readonly { agentId: string; capacity: number }[];
}

const MOST_BUCKETS = 240;

/**
 * Gathers who was busy when, and with what success, in at most 240 buckets: they begin as 1 ms and double in width
 * whenever the run outgrows them, so that memory does not grow with its length.
 */
export function createTimelineCollector({ startedAt, agents }: TimelineOptions): TimelineCollector {
  const rows = new Map(agents.map(({ agentId, capacity }) => [agentId, createRow(capacity)]));
  const waves: WaveSpan[] = [];
  let bucketMs = 1;
  let endedAt = startedAt;

  function reach(moment: number): void {
    endedAt = Math.max(endedAt, moment);
    while (endedAt - startedAt > MOST_BUCKETS * bucketMs) {
      bucketMs *= 2;
      for (const row of rows.values()) for (const use of TIME_USES) halve(row[use]);
    }
  }

  return {
    observe(attempt) {
      let row = rows.get(attempt.agentId);
      if (!row) rows.set(attempt.agentId, (row = createRow(1)));
      reach(attempt.endedAt);
      const from = attempt.startedAt - startedAt;
      spread(row[timeUseOf(attempt)], from, attempt.endedAt - startedAt, bucketMs);
    },
    closeWave(span) {
      reach(span.endedAt);
      waves.push(span);
    },
    timeline: () => {
      const buckets = Math.ceil((endedAt - startedAt) / bucketMs);
      return {
        startedAt,
        endedAt,
        bucketMs,
        waves: [...waves],
        agents: [...rows].map(([agentId, row]) => ({
          agentId,
          capacity: row.capacity,
          busyMs: {
            succeeded: [...row.succeeded.subarray(0, buckets)],
            retried: [...row.retried.subarray(0, buckets)],
            failed: [...row.failed.subarray(0, buckets)],
            other: [...row.other.subarray(0, buckets)],
          },
        })),
      };
    },
  };
}

function createRow(capacity: number) {
  return {
    capacity,
    succeeded: new Float64Array(MOST_BUCKETS),
    retried: new Float64Array(MOST_BUCKETS),
    failed: new Float64Array(MOST_BUCKETS),
    other: new Float64Array(MOST_BUCKETS),
  };
}

function timeUseOf({ status, backoffMs }: Attempt): TimeUse {
  return USES[status] === 'failed' && backoffMs !== null ? 'retried' : USES[status];
}

const USES: Readonly<Record<AttemptStatus, TimeUse>> = {
  succeeded: 'succeeded',
  failed: 'failed',
  timed_out: 'failed',
  denied: 'other',
  waiting: 'other',
  cancelled: 'other',
};

/** Puts each two neighbours together. */
function halve(buckets: Float64Array): void {
  for (let to = 0; to < MOST_BUCKETS; to += 1) {
    buckets[to] = (buckets[2 * to] ?? 0) + (buckets[2 * to + 1] ?? 0);
  }
}

/** Adds a span of time to the buckets that it touches, to each as much as lies in it. */
function spread(buckets: Float64Array, from: number, to: number, bucketMs: number): void {
  for (let bucket = Math.floor(from / bucketMs); bucket * bucketMs < to; bucket += 1) {
    const overlap = Math.min(to, (bucket + 1) * bucketMs) - Math.max(from, bucket * bucketMs);
    buckets[bucket] = (buckets[bucket] ?? 0) + overlap;
  }
}
