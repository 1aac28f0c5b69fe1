// oxlint-disable unicorn/require-post-message-target-origin -- a thread, not a window
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describeFailure } from '@buddy/core';
import { SandboxStartError } from '../errors.ts';
import { GateAnswer, type GateRequest } from './gate-messages.ts';
import type { GuestSource } from './guest-source.ts';
import type { GuestSourceOptions } from './prepare-guest-source.ts';

/** Why a text got no answer: it took too long, or it broke the thread, twice. */
export type UnreadSource = 'too-slow' | 'broken';

export interface GateThreadOptions {
  /** Milliseconds that one text may take. Default 2000: twenty times what the slowest honest 64 KB take. */
  readonly deadlineMs?: number;
  /** The thread's program, in place of the gate. */
  readonly program?: URL;
}

/**
 * Runs the gate in a thread of its own, one text after the other: whatever a text does to it, the host's thread goes on.
 * The thread is started at first use, keeps no program from ending while it is idle, and is ended and replaced when a
 * text takes too long or breaks it.
 */
export class GateThread {
  readonly #options: GateThreadOptions;
  readonly #waiting: Job[] = [];
  #current: Job | undefined;
  #thread: Thread | undefined;

  constructor(options: GateThreadOptions = {}) {
    this.#options = options;
  }

  /**
   * @throws {SandboxStartError} When the thread cannot be started.
   * @throws The reason of `signal`, at once.
   */
  prepare(
    text: string,
    options: GuestSourceOptions,
    signal: AbortSignal,
  ): Promise<GuestSource | UnreadSource> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const settled = new AbortController();
      const job: Job = {
        request: { text, options },
        isRetry: false,
        isAborted: false,
        answer: (outcome) => {
          settled.abort();
          resolve(outcome);
        },
        fail: (error) => {
          settled.abort();
          reject(error);
        },
      };
      const onAbort = (): void => {
        job.isAborted = true;
        const index = this.#waiting.indexOf(job);
        if (index >= 0) this.#waiting.splice(index, 1);
        job.fail(signal.reason); // what the thread is at, it may end: its deadline stays
      };
      signal.addEventListener('abort', onAbort, { once: true, signal: settled.signal });
      this.#waiting.push(job);
      this.#next();
    });
  }

  /** Ends the thread; the next text starts another. */
  close(): void {
    this.#thread?.end();
    this.#thread = undefined;
  }

  #next(): void {
    if (this.#current) return;
    const job = this.#waiting.shift();
    if (!job) {
      this.#thread?.keepHostAlive(false);
      return;
    }
    this.#current = job;
    try {
      this.#thread ??= this.#start();
    } catch (error) {
      this.#cannotStart(error);
      return;
    }
    this.#thread.keepHostAlive(true);
    this.#thread.ask(job.request);
  }

  #start(): Thread {
    const { deadlineMs = DEFAULT_DEADLINE_MS, program = findGateProgram() } = this.#options;
    const thread: Thread = new Thread(program, deadlineMs, (report) => {
      if (thread === this.#thread) this.#heard(report);
    });
    return thread;
  }

  #heard(report: Report): void {
    switch (report.kind) {
      case 'prepared':
        if (report.isSpent) this.close();
        this.#done((job) => job.answer(report.source));
        break;
      case 'too-slow':
        this.close();
        this.#done((job) => job.answer('too-slow'));
        break;
      case 'broken':
        this.close();
        this.#retryOnce();
        break;
      case 'not-started':
        this.close();
        this.#cannotStart(report.cause);
        break;
    }
  }

  #done(settle: (job: Job) => void): void {
    const job = this.#current;
    this.#current = undefined;
    if (job) settle(job);
    this.#next();
  }

  #retryOnce(): void {
    const job = this.#current;
    this.#current = undefined;
    if (job?.isRetry === true) job.answer('broken');
    else if (job && !job.isAborted) {
      job.isRetry = true;
      this.#waiting.unshift(job);
    }
    this.#next();
  }

  /** Nobody who waits can be helped; whoever asks later may be. */
  #cannotStart(cause: unknown): void {
    const jobs = this.#current ? [this.#current, ...this.#waiting] : [...this.#waiting];
    this.#current = undefined;
    this.#waiting.length = 0;
    const error = new SandboxStartError(
      isDenied(cause)
        ? 'Only JavaScript of up to 2048 characters can be run without a thread; start Node with --allow-worker.'
        : `The thread that reads programs cannot be started: ${describeFailure(cause).message}`,
      { cause },
    );
    for (const job of jobs) job.fail(error);
  }
}

function isDenied(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ERR_ACCESS_DENIED';
}

interface Job {
  request: GateRequest;
  isRetry: boolean;
  isAborted: boolean;
  answer: (outcome: GuestSource | UnreadSource) => void;
  fail: (error: unknown) => void;
}

const DEFAULT_DEADLINE_MS = 2_000;
const MAX_START_MS = 30_000;
/** A quarter of a megabyte of source takes less than 100. */
const MAX_HEAP_MB = 256;

type Report =
  | Extract<GateAnswer, { kind: 'prepared' }>
  | { kind: 'too-slow' }
  | { kind: 'broken' }
  | { kind: 'not-started'; cause: unknown };

/** One worker, and at most one request that it is at. */
class Thread {
  readonly #worker: Worker;
  readonly #deadlineMs: number;
  readonly #report: (report: Report) => void;
  #hasStarted = false;
  #request: GateRequest | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(program: URL, deadlineMs: number, report: (report: Report) => void) {
    this.#deadlineMs = deadlineMs;
    this.#report = report;
    this.#worker = new Worker(program, {
      env: {},
      execArgv: ['--disable-warning=ExperimentalWarning'],
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    });
    this.#worker.on('message', (message) => this.#received(message));
    this.#worker.on('error', (cause) => this.#ended(cause));
    this.#worker.on('exit', (code) => this.#ended(new Error(`It ended with code ${code}`)));
    this.#limit(MAX_START_MS, () => {
      report({ kind: 'not-started', cause: new Error(`It took ${MAX_START_MS} ms`) });
    });
  }

  /** Not before the last request was answered. */
  ask(request: GateRequest): void {
    this.#request = request;
    if (this.#hasStarted) this.#post(request);
  }

  keepHostAlive(keep: boolean): void {
    if (keep) this.#worker.ref();
    else this.#worker.unref();
  }

  end(): void {
    this.#unlimit();
    void this.#worker.terminate();
  }

  #post(request: GateRequest): void {
    this.#limit(this.#deadlineMs, () => this.#report({ kind: 'too-slow' }));
    this.#worker.postMessage(request);
  }

  #received(message: unknown): void {
    const answer = GateAnswer.safeParse(message);
    if (!answer.success) {
      this.#report({ kind: 'broken' });
      return;
    }
    this.#unlimit();
    if (answer.data.kind === 'prepared') {
      this.#request = undefined;
      this.#report(answer.data);
      return;
    }
    this.#hasStarted = true;
    if (this.#request) this.#post(this.#request);
  }

  #ended(cause: unknown): void {
    this.#unlimit();
    this.#report(this.#hasStarted ? { kind: 'broken' } : { kind: 'not-started', cause });
  }

  /** An answer that is there already counts, though the host was busy when the time was up. */
  #limit(ms: number, tooLate: () => void): void {
    const timer = setTimeout(() => {
      setImmediate(() => {
        if (this.#timer === timer) tooLate();
      });
    }, ms);
    timer.unref(); // the worker keeps the host alive while it is asked
    this.#timer = timer;
  }

  #unlimit(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/** From sources the module beside this one; built, beside the entry, or above the chunk that this code was bundled into. */
function findGateProgram(): URL {
  if (import.meta.url.endsWith('.ts')) return new URL('./gate-worker.ts', import.meta.url);
  const places = ['./gate-worker.js', '../gate-worker.js'].map(
    (place) => new URL(place, import.meta.url),
  );
  const program = places.find((place) => existsSync(place));
  if (program) return program;
  throw new SandboxStartError(
    `The gate's program is missing; it should be ${places.map((place) => fileURLToPath(place)).join(' or ')}.`,
  );
}
