import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Clock,
  describeFailure,
  parseOrThrow,
  systemClock,
  writeFileAtomic,
} from '@buddy/core';
import { z } from 'zod';
import { stackOf } from '../../inspector/stack-of.ts';
import { createLagMeter, type LagMeter } from '../../probes/lag-meter.ts';
import { takeSample } from '../../probes/sampler.ts';
import type { Sign } from '../../resource/adapters/probed.ts';
import type {
  ProcessIdentity,
  ServiceAdapter,
  Vitals,
  VitalsAdapter,
} from '../../resource/adapters/service.ts';
import { HEALTHY, type Reading } from '../../resource/reading.ts';
import { OpenAnswer, ShedAnswer, VitalsAnswer } from '../../vitals/protocol.ts';
import { readFigures } from '../process/proc.ts';
import { askVitals, type Told } from './ask-vitals.ts';
import { type LeakOptions, MemoryTrend } from './memory-trend.ts';

const share = z.number().gt(0).max(1);
const ms = z.number().positive();

export const ProcessVitalsOptions = z.strictObject({
  /** For messages. */
  id: z.string().min(1),
  /** Where the process opens its socket (`reportVitals`). Default: it tells nothing, and is looked at from outside alone. */
  socket: z.string().min(1).max(107).optional(),
  /** A process that does not answer for so long, in ms, has a blocked event loop. */
  silentAfterMs: ms.default(1_500),
  /** How often it is looked at while somebody watches, in ms. */
  intervalMs: ms.default(2_000),
  /** Above this share of its limit its memory is full. */
  memoryShare: share.default(0.9),
  /** Limit of its resident memory, in bytes, for a process that does not tell of its heap. Default: none. */
  residentLimitBytes: z.number().positive().optional(),
  /** Above this share of their limit its descriptors are used up. */
  openFilesShare: share.default(0.9),
  /** When growth is a leak: so many samples over so long (ms) grow for certain, and reach the limit within `horizonMs`. */
  leak: z
    .strictObject({
      samples: z.int().min(5).max(500).default(20),
      spanMs: ms.default(600_000),
      horizonMs: ms.default(86_400_000),
      confidence: z.number().gt(0).lt(1).default(0.95),
    })
    .prefault({}),
  /** Where pictures of what it does are kept. Default: none are taken. Opens the inspector of a process that runs on Node. */
  evidenceFolder: z.string().min(1).optional(),
});
export type ProcessVitalsInput = z.input<typeof ProcessVitalsOptions>;
type ProcessVitalsOptions = z.output<typeof ProcessVitalsOptions>;

export interface ProcessVitalsPorts {
  /** Whose process it is. */
  service: Pick<ServiceAdapter, 'state'>;
  clock?: Clock;
  lag?: LagMeter;
}

/** What it says of itself: nothing (nobody listens there), or not a word (it stands still). */
type Saying = Told<VitalsAnswer> | { is: 'silent' };

/**
 * Looks at a running process: its memory and descriptors in Linux's `/proc`, its heap and event loop by what it tells
 * itself (`reportVitals`). Without `/proc` and without being told, nothing is known.
 * @throws {InvalidInputError} When the options are not usable.
 * @example
 * const api = createProcessService({ id: 'api', command: 'node', env: { [VITALS_SOCKET]: socket }, stateFolder });
 * const vitals = createProcessVitals({ id: 'api', socket }, { service: api });
 */
export function createProcessVitals(
  input: ProcessVitalsInput,
  { service, clock = systemClock, lag = createLagMeter(clock) }: ProcessVitalsPorts,
): VitalsAdapter {
  const options = parseOrThrow(ProcessVitalsOptions, input, 'process vitals');
  return new ProcessVitals(options, { service, clock, lag });
}

class ProcessVitals implements VitalsAdapter {
  readonly kind = 'vitals';
  readonly #options: ProcessVitalsOptions;
  readonly #ports: Required<ProcessVitalsPorts>;
  readonly #trend: MemoryTrend;

  constructor(options: ProcessVitalsOptions, ports: Required<ProcessVitalsPorts>) {
    this.#options = options;
    this.#ports = ports;
    const leak: LeakOptions = options.leak;
    this.#trend = new MemoryTrend(leak);
  }

  async probe(signal: AbortSignal): Promise<Reading> {
    const identity = await this.#identify(signal);
    const { id } = this.#options;
    if (!identity) {
      return { status: 'UNKNOWN', reason: 'stale', note: `no process of ${id} runs` };
    }
    const before = await readFigures(identity.pid);
    const startedAt = this.#ports.clock.monotonic();
    const saying = await this.#ask(signal);
    if (saying.is === 'silent') {
      const tookMs = this.#ports.clock.monotonic() - startedAt;
      return this.#readSilence(identity, before?.cpuTicks, tookMs);
    }
    const vitals = await this.#vitalsOf(identity, saying);
    return vitals ? this.#judge(vitals) : this.#nothingKnown();
  }

  watch(raise: (sign: Sign) => void): () => void {
    const over = new AbortController();
    void this.#lookRegularly(raise, over.signal);
    return () => over.abort('over');
  }

  async read(signal: AbortSignal): Promise<Vitals | undefined> {
    const identity = await this.#identify(signal);
    if (!identity) return undefined;
    return this.#vitalsOf(identity, await this.#ask(signal));
  }

  async canOpen(count: number, signal: AbortSignal): Promise<boolean | undefined> {
    const { socket } = this.#options;
    if (socket === undefined) return undefined;
    const told = await askVitals(socket, { ask: 'open', count }, OpenAnswer, signal);
    return told.is === 'told' ? told.answer.could_open : undefined;
  }

  canCapture(): boolean {
    return this.#options.evidenceFolder !== undefined;
  }

  async shed(signal: AbortSignal): Promise<void> {
    const { socket } = this.#options;
    if (socket !== undefined) await askVitals(socket, { ask: 'shed' }, ShedAnswer, signal);
  }

  async capture(signal: AbortSignal): Promise<void> {
    const { evidenceFolder, id } = this.#options;
    const identity = await this.#identify(signal);
    if (evidenceFolder === undefined || !identity) return;
    const { clock } = this.#ports;
    const at = new Date(clock.now()).toISOString();
    const figures = await readFigures(identity.pid);
    const stack = await stackOf({ pid: identity.pid, clock, signal }).catch(describeFailure);
    const evidence = { at, service: id, identity, figures, stack };
    await mkdir(evidenceFolder, { recursive: true });
    const name = `${id}-${at.replaceAll(':', '')}.json`;
    await writeFileAtomic(join(evidenceFolder, name), `${JSON.stringify(evidence, null, 2)}\n`);
  }

  async #lookRegularly(raise: (sign: Sign) => void, signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    while (!signal.aborted) {
      try {
        await clock.sleep(this.#options.intervalMs, signal);
        const reading = await this.probe(signal);
        if (reading.status === 'FAILED' && !signal.aborted) raise(reading);
      } catch {
        // Called off, or it could not be looked at: the guardian looks too, and tells what it cannot know.
      }
    }
  }

  async #identify(signal: AbortSignal): Promise<ProcessIdentity | undefined> {
    const state = await this.#ports.service.state(signal);
    return state.is === 'running' ? state.identity : undefined;
  }

  async #ask(signal: AbortSignal): Promise<Saying> {
    const { socket, silentAfterMs: timeoutMs, id } = this.#options;
    if (socket === undefined) return { is: 'absent', reason: 'it has no socket' };
    const { clock, lag } = this.#ports;
    let told: Saying = { is: 'silent' };
    const look = async (own: AbortSignal): Promise<Reading> => {
      told = await askVitals(socket, { ask: 'vitals' }, VitalsAnswer, own);
      return HEALTHY;
    };
    // For its care about our own lateness: silence that is ours says nothing of the other.
    const sample = await takeSample({ clock, lag }, { name: id, timeoutMs, signal, look });
    if (sample.status === 'UNKNOWN') return { is: 'absent', reason: sample.note };
    return told;
  }

  async #readSilence(
    { pid }: ProcessIdentity,
    ticksBefore: number | undefined,
    tookMs: number,
  ): Promise<Reading> {
    const figures = await readFigures(pid);
    const { id } = this.#options;
    const failed = (certainty: Sign['certainty'], why: string): Reading => ({
      status: 'FAILED',
      signal: 'event_loop.blocked',
      certainty,
      note: `${id} does not answer for ${Math.round(tookMs)} ms; ${why}`,
      data: { pid, state: figures?.state ?? 'unknown' },
    });
    if (figures?.state === 'T') return failed('decisive', 'it was stopped');
    const usedMs = figures && ticksBefore !== undefined ? (figures.cpuTicks - ticksBefore) * 10 : 0;
    const isBusy = usedMs > tookMs * BUSY_SHARE;
    return isBusy
      ? failed('decisive', `it computed for ${usedMs} ms of that`)
      : failed('ambiguous', `it computed for ${usedMs} ms of that, and may wait for something`);
  }

  async #vitalsOf(identity: ProcessIdentity, saying: Saying): Promise<Vitals | undefined> {
    const figures = await readFigures(identity.pid);
    const told = saying.is === 'told' ? saying.answer : undefined;
    if (!figures && !told) return undefined;
    const residentBytes = figures?.residentBytes ?? 0;
    const vitals: Vitals = {
      identity,
      residentBytes,
      memory: told
        ? { usedBytes: told.heap_used_bytes, limitBytes: told.heap_limit_bytes }
        : { usedBytes: residentBytes, limitBytes: this.#options.residentLimitBytes },
      openFiles: figures?.openFiles ?? { count: 0, limit: undefined },
      loopDelayMs: told?.loop_delay_ms ?? undefined,
    };
    this.#trend.note(identity, {
      at: this.#ports.clock.monotonic(),
      value: told?.heap_after_gc_bytes ?? vitals.memory.usedBytes,
      // What was not collected yet says nothing; what was is news only once.
      series: told ? `heap after ${told.major_gcs}` : 'resident',
      counts: !told || told.heap_after_gc_bytes !== null,
    });
    return vitals;
  }

  #judge({ memory, openFiles, loopDelayMs, identity: { pid } }: Vitals): Reading {
    const { id, memoryShare, openFilesShare } = this.#options;
    const failed = (signal: string, note: string, data: Record<string, number>): Reading => ({
      status: 'FAILED',
      signal,
      certainty: 'ambiguous',
      note: `${id} ${note}`,
      data: { pid, ...data },
    });
    if (openFiles.limit !== undefined && openFiles.count > openFiles.limit * openFilesShare) {
      const note = `has ${openFiles.count} of ${openFiles.limit} descriptors open`;
      return failed('fds.exhausted', note, { open: openFiles.count, limit: openFiles.limit });
    }
    const { usedBytes, limitBytes } = memory;
    if (limitBytes !== undefined && usedBytes > limitBytes * memoryShare) {
      const note = `uses ${usedBytes} of ${limitBytes} bytes of memory`;
      return failed('memory.high', note, { used_bytes: usedBytes, limit_bytes: limitBytes });
    }
    const leak = this.#trend.leak(limitBytes);
    if (leak) {
      const { bytesPerHour, hoursLeft } = leak;
      const note = `grows by ${Math.round(bytesPerHour)} bytes an hour and is full in ${hoursLeft.toFixed(1)} hours`;
      const data = { bytes_per_hour: bytesPerHour, hours_left: hoursLeft, used_bytes: usedBytes };
      return failed('memory.leaking', note, data);
    }
    return loopDelayMs === undefined
      ? HEALTHY
      : { status: 'HEALTHY', note: `event loop ${loopDelayMs.toFixed(1)} ms late` };
  }

  #nothingKnown(): Reading {
    const note = `${this.#options.id} tells nothing of itself, and there is no /proc to look in`;
    return { status: 'UNKNOWN', reason: 'unsupported_platform', note };
  }
}

/** Whoever computes that much of the time while it is silent is busy; on a loaded machine a busy process has its share only. */
const BUSY_SHARE = 0.3;
