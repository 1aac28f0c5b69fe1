import { closeSync, openSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { devNull } from 'node:os';
import { constants, monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { Question, VitalsAnswer } from './protocol.ts';
import { VITALS_SOCKET } from './vitals-socket.ts';

export interface VitalsReporterOptions {
  /** Path of the socket. Default: what the variable BUDDY_VITALS_SOCKET says; where it is not set, nobody wants to know. */
  socket?: string | undefined;
  /** Lets go of what the process can do without, when the guardian asks for it: idle connections, caches. */
  shed?: () => Promise<void> | void;
}

export interface VitalsReporter {
  close(): void;
}

const RESOLUTION_MS = 10;
const LONGEST_QUESTION = 1_000;
const MOST_DESCRIPTORS = 1_024;

/**
 * Lets a guardian ask this process how it is: heap, event loop, descriptors. To be called by the service itself, early.
 *
 * It opens a Unix socket and keeps the process from nothing: neither from ending nor, where the socket cannot be opened,
 * from its work (that is told on stderr). A guardian that gets no answer knows that the event loop stands still.
 * @example
 * import { reportVitals } from '@buddy/guardian/vitals';
 * reportVitals({ shed: () => pool.closeIdle() });
 */
export function reportVitals({
  socket = process.env[VITALS_SOCKET],
  shed,
}: VitalsReporterOptions = {}): VitalsReporter {
  if (socket === undefined || socket === '') return { close: () => undefined };
  const meter = startMeter();
  const server = createServer((peer) => {
    peer.on('error', () => peer.destroy()); // the guardian has gone
    peer.unref();
    answerLines(peer, async (question) => {
      switch (question.ask) {
        case 'vitals':
          return meter.read();
        case 'open':
          return { could_open: canOpen(question.count) };
        case 'shed':
          await shed?.();
          return { shed: true };
      }
    });
  });
  server.on('error', (error) => process.stderr.write(`No vitals are told: ${error.message}\n`));
  rmSync(socket, { force: true }); // what a predecessor left that was killed
  server.listen(socket);
  server.unref();
  return {
    close: () => {
      meter.stop();
      server.close();
    },
  };
}

function startMeter() {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  let majorGcs = 0;
  let afterGc: number | null = null;
  const collections = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (!isMajor(entry)) continue;
      majorGcs += 1;
      afterGc = getHeapStatistics().used_heap_size;
    }
  });
  collections.observe({ entryTypes: ['gc'] });
  return {
    read: (): VitalsAnswer => {
      const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
      // What it measures is the time between two of its timers, their interval included.
      const median = delay.percentile(50) / 1e6 - RESOLUTION_MS;
      const loopDelayMs = delay.count === 0 ? null : Math.max(0, median);
      delay.reset();
      return {
        heap_used_bytes: used,
        heap_limit_bytes: limit,
        heap_after_gc_bytes: afterGc,
        major_gcs: majorGcs,
        loop_delay_ms: loopDelayMs,
      };
    },
    stop: () => {
      delay.disable();
      collections.disconnect();
    },
  };
}

function isMajor(entry: object): boolean {
  const detail: unknown = 'detail' in entry ? entry.detail : undefined;
  if (typeof detail !== 'object' || detail === null || !('kind' in detail)) return false;
  return detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR;
}

/** Tries it: what the limit says is not all that can stand in the way. */
function canOpen(count: number): boolean {
  const open: number[] = [];
  try {
    for (let tried = 0; tried < Math.min(count, MOST_DESCRIPTORS); tried += 1) {
      open.push(openSync(devNull, 'r'));
    }
    return true;
  } catch {
    return false;
  } finally {
    for (const descriptor of open) closeSync(descriptor);
  }
}

function answerLines(peer: Socket, answer: (question: Question) => Promise<unknown>): void {
  let text = '';
  peer.setEncoding('utf8');
  peer.on('data', (part: string) => {
    text += part;
    const end = text.indexOf('\n');
    if (end < 0) {
      if (text.length > LONGEST_QUESTION) peer.destroy();
      return;
    }
    const line = text.slice(0, end);
    text = '';
    void answerLine(line, answer).then((reply) => peer.end(`${JSON.stringify(reply)}\n`));
  });
}

async function answerLine(
  line: string,
  answer: (question: Question) => Promise<unknown>,
): Promise<unknown> {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is no question is answered with an error
    return await answer(JSON.parse(line) as Question);
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
