import type { Work } from '../task/work.ts';

/** A task in the queue: the work, and what it waits for. */
export interface QueuedWork {
  work: Work;
  dependsOn: readonly string[];
  /** Why it can never be done; undefined when it can. */
  impossible: { code: string; message: string } | undefined;
}

/** A task in the queue, and how it stands. */
export interface Entry extends QueuedWork {
  /** Its place in the agent's plan. */
  position: number;
  /** How many tasks it waits for. */
  waitsFor: number;
  /** Whether it was told that it waits for one that waits. */
  isHeld: boolean;
}

/** What an agent has before it and in its hands. */
export class AgentQueue {
  readonly speed: number;
  readonly #capacity: number;
  #entries: Entry[] = [];
  /** Entries before it have been taken. */
  #head = 0;
  #queuedMs = 0;
  #stealable = 0;
  /** Places that were told that there is no more. */
  #left = 0;
  /** When each running task should end. */
  readonly #runningUntil = new Map<string, number>();

  constructor(capacity: number, speed: number) {
    this.#capacity = capacity;
    this.speed = speed;
  }

  get isEmpty(): boolean {
    return this.#head === this.#entries.length;
  }

  /** Whether all of its places were told that there is no more. */
  get hasLeft(): boolean {
    return this.#left >= this.#capacity;
  }

  leave(): void {
    this.#left += 1;
  }

  get hasStealable(): boolean {
    return this.#stealable > 0;
  }

  add(entry: Entry): void {
    this.#entries.push(entry);
    this.#count(entry, 1);
  }

  sort(): void {
    this.#entries.sort((a, b) => a.position - b.position);
  }

  /** Adds a task at its place in the plan. */
  insert(entry: Entry): void {
    let at = this.#head;
    for (let end = this.#entries.length; at < end;) {
      const middle = (at + end) >>> 1;
      if ((this.#entries[middle]?.position ?? 0) < entry.position) at = middle + 1;
      else end = middle;
    }
    this.#entries.splice(at, 0, entry);
    this.#count(entry, 1);
  }

  take(taskId: string): Entry | undefined {
    const at = this.#entries.findIndex(
      ({ work }, index) => index >= this.#head && work.taskId === taskId,
    );
    if (at === -1) return undefined;
    const [entry] = this.#entries.splice(at, 1);
    if (entry) this.#count(entry, -1);
    return entry;
  }

  takeFirst(): Entry | undefined {
    const entry = this.#entries[this.#head];
    if (!entry) return undefined;
    this.#head += 1;
    this.#count(entry, -1);
    this.#compact();
    return entry;
  }

  /** The largest task that may be stolen and takes at most `limitMs` at speed 1. */
  takeLargestWithin(limitMs: number): Entry | undefined {
    let best = -1;
    let bestMs = -Infinity;
    for (let at = this.#head; at < this.#entries.length; at++) {
      const entry = this.#entries[at];
      if (!entry || entry.work.isControl) continue;
      const { predictedDurationMs } = entry.work;
      if (predictedDurationMs < limitMs && predictedDurationMs > bestMs) {
        best = at;
        bestMs = predictedDurationMs;
      }
      if (at - this.#head > SEARCHED && best >= 0) break;
    }
    const [stolen] = best < 0 ? [] : this.#entries.splice(best, 1);
    if (stolen) this.#count(stolen, -1);
    return stolen;
  }

  takeAll(): Entry[] {
    const rest = this.#entries.slice(this.#head);
    this.#entries = [];
    this.#head = 0;
    this.#queuedMs = 0;
    this.#stealable = 0;
    return rest;
  }

  begin({ work }: Entry, now: number): void {
    this.#runningUntil.set(work.taskId, now + work.predictedDurationMs / this.speed);
  }

  end(taskId: string): void {
    this.#runningUntil.delete(taskId);
  }

  /**
   * When it would be done with all it has, were nobody to help. A task that should have ended a while ago is taken to go on
   * for as long again: what is stuck must not look like an agent about to be free.
   */
  finishAt(now: number): number {
    let leftMs = this.#queuedMs / this.speed;
    for (const until of this.#runningUntil.values()) leftMs += Math.abs(until - now);
    return now + leftMs / this.#capacity;
  }

  #count({ work }: Entry, sign: 1 | -1): void {
    this.#queuedMs += sign * work.predictedDurationMs;
    if (!work.isControl) this.#stealable += sign;
  }

  /** Lets go of what was taken, now and then: a wave may be long. */
  #compact(): void {
    if (this.#head < COMPACT_AFTER || this.#head * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#head);
    this.#head = 0;
  }
}

/** How far a thief looks for a larger task; queues are mostly in falling order, so the first that fits is the largest. */
const SEARCHED = 64;
const COMPACT_AFTER = 1024;
