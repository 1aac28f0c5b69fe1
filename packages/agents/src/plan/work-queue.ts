import { HarnessMisuseError } from '../errors.ts';
import type { OutcomeStatus } from '../task/outcome.ts';
import { type Claim, reason } from '../task/work.ts';
import { AgentQueue, type Entry, type QueuedWork } from './agent-queue.ts';
import type { Plan } from './plan.ts';

/** What of a plan the queue goes by. */
export type QueuePlan = Pick<Plan, 'strategy' | 'agents'>;

export interface WorkQueueOptions {
  plan: QueuePlan;
  tasks: readonly QueuedWork[];
  /** How tasks of earlier waves that these depend on ended. */
  earlier: ReadonlyMap<string, OutcomeStatus>;
  now: () => number;
}

/** Hands out the tasks of a wave as agents ask for them. */
export interface WorkQueue {
  /**
   * The next task for an agent: its own, or one that a busier agent would end later. Waits while there is none yet but a
   * running task may free some.
   */
  claim(agentId: string): Promise<Claim>;
  /** The next task that nobody will do in this wave: it waits for one that waits. */
  claimHeld(): Claim;
  /** The next task that can be done now and whose agent was told that there is no more; never waits. For what is freed late. */
  claimAny(): Claim;
  /**
   * Takes what was claimed from a queue like this one in a process that is gone.
   * @param agentId Who claimed it; undefined for what was freed late.
   * @throws {HarnessMisuseError} When there is no such task: the queue is not like that one.
   */
  retake(claim: Claim, agentId: string | undefined): void;
  /** Tells how a task ended, and so what may start. */
  settle(taskId: string, status: OutcomeStatus): void;
  /** Nothing is handed out any more, but as cancelled. */
  cancel(reason: string): void;
  /** Whether there is nothing in it any more that somebody may still have to do or to tell. */
  readonly isEmpty: boolean;
  /** How many tasks went to another agent than planned. */
  readonly steals: number;
}

export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  return new Queue(options);
}

class Queue implements WorkQueue {
  steals = 0;
  readonly #now: () => number;
  readonly #canSteal: boolean;
  readonly #agents = new Map<string, AgentQueue>();
  readonly #dependents = new Map<string, Entry[]>();
  /** Waiting for a task that has not ended. */
  readonly #blocked = new Set<Entry>();
  readonly #settled = new Line<Claim>();
  readonly #running = new Map<string, AgentQueue>();
  #changed: PromiseWithResolvers<void> | undefined;
  #cancelReason: string | undefined;

  constructor({ plan, tasks, earlier, now }: WorkQueueOptions) {
    this.#now = now;
    this.#canSteal = plan.strategy !== 'round_robin';
    const positions = new Map<string, number>();
    for (const { agentId, capacity, speed, taskIds } of plan.agents) {
      this.#agents.set(agentId, new AgentQueue(capacity, speed));
      taskIds.forEach((id, at) => positions.set(id, at));
    }
    for (const task of tasks) {
      const entry = {
        ...task,
        position: positions.get(task.work.taskId) ?? 0,
        waitsFor: 0,
        isHeld: false,
      };
      const needed = task.dependsOn.length === 0 ? NOTHING : new Set(task.dependsOn);
      this.#place(entry, needed, earlier);
    }
    for (const agent of this.#agents.values()) agent.sort();
  }

  get isEmpty(): boolean {
    if (this.#blocked.size > 0 || !this.#settled.isEmpty || this.#running.size > 0) return false;
    return [...this.#agents.values()].every((agent) => agent.isEmpty);
  }

  claim(agentId: string): Promise<Claim> {
    const claim = this.#tryClaim(agentId);
    return claim ? Promise.resolve(claim) : this.#waitToClaim(agentId);
  }

  claimHeld(): Claim {
    const settled = this.#takeSettled();
    if (settled) return settled;
    for (const entry of this.#blocked) {
      if (entry.isHeld) continue;
      entry.isHeld = true;
      const failure = reason('AGENTS_WAITS', `It depends on a task that waits for a person`);
      return { kind: 'settled', work: entry.work, status: 'waiting', failure };
    }
    return { kind: 'done' };
  }

  claimAny(): Claim {
    const settled = this.#takeSettled();
    if (settled) return settled;
    for (const agent of this.#agents.values()) {
      if (!agent.hasLeft) continue; // it will ask for what it has itself
      const entry = agent.takeFirst();
      if (entry) return this.#start(entry, agent);
    }
    return { kind: 'done' };
  }

  retake(claim: Claim, agentId: string | undefined): void {
    const own = this.#agents.get(agentId ?? '');
    if (claim.kind === 'done') return own?.leave();
    const { taskId } = claim.work;
    if (claim.kind === 'settled') {
      if (this.#settled.takeWhere((one) => one.kind !== 'done' && one.work.taskId === taskId))
        return;
      const held = [...this.#blocked].find(({ work }) => work.taskId === taskId);
      if (held && claim.status === 'waiting') held.isHeld = true;
      else this.#pull(taskId);
      return;
    }
    const { entry, agent } = this.#pull(taskId);
    if (own && own !== agent) this.steals += 1;
    this.#start(entry, own ?? agent);
  }

  settle(taskId: string, status: OutcomeStatus): void {
    this.#running.get(taskId)?.end(taskId);
    this.#running.delete(taskId);
    if (status !== 'waiting') {
      const dependents = this.#dependents.get(taskId) ?? [];
      this.#dependents.delete(taskId);
      for (const entry of dependents) this.#onDependencyEnded(entry, taskId, status);
    }
    this.#announce();
  }

  cancel(why: string): void {
    this.#cancelReason = why;
    const failure = reason('CANCELLED', why);
    const give = ({ work }: Entry) =>
      this.#settled.push({ kind: 'settled', work, status: 'cancelled', failure });
    for (const agent of this.#agents.values()) agent.takeAll().forEach(give);
    this.#blocked.forEach(give);
    this.#blocked.clear();
    this.#announce();
  }

  /** Takes a task from wherever it is. */
  #pull(taskId: string): { entry: Entry; agent: AgentQueue } {
    for (const agent of this.#agents.values()) {
      const entry = agent.take(taskId);
      if (entry) return { entry, agent };
    }
    for (const entry of this.#blocked) {
      const agent = entry.work.taskId === taskId ? this.#queueOf(entry) : undefined;
      if (!agent) continue;
      this.#blocked.delete(entry);
      return { entry, agent };
    }
    throw new HarnessMisuseError(
      `Task ${taskId} was claimed before and is not there now: these are not the predictions that the run began with`,
    );
  }

  async #waitToClaim(agentId: string): Promise<Claim> {
    for (;;) {
      await this.#change();
      const claim = this.#tryClaim(agentId);
      if (claim) return claim;
    }
  }

  /** Undefined when there is nothing for the agent yet. */
  #tryClaim(agentId: string): Claim | undefined {
    const settled = this.#takeSettled();
    if (settled) return settled;
    const own = this.#agents.get(agentId);
    const entry = own?.takeFirst() ?? (own && this.#canSteal ? this.#steal(own) : undefined);
    if (entry && own) return this.#start(entry, own);
    if (this.#mayFreeWork()) return undefined;
    own?.leave();
    return { kind: 'done' };
  }

  /** Puts a task where it belongs at first. */
  #place(
    entry: Entry,
    needed: ReadonlySet<string>,
    earlier: ReadonlyMap<string, OutcomeStatus>,
  ): void {
    if (entry.impossible) return this.#rule(entry, entry.impossible.code, entry.impossible.message);
    for (const id of needed) {
      const ended = earlier.get(id);
      if (ended === undefined || ended === 'waiting') {
        entry.waitsFor += 1;
        const dependents = this.#dependents.get(id);
        if (dependents) dependents.push(entry);
        else this.#dependents.set(id, [entry]);
      } else if (ended !== 'completed') {
        return this.#rule(
          entry,
          'AGENTS_DEPENDENCY_NOT_DONE',
          `It depends on ${id}, which is ${ended}`,
        );
      }
    }
    if (entry.waitsFor > 0) this.#blocked.add(entry);
    else this.#queueOf(entry)?.add(entry);
  }

  /** Rules a task out; whatever depends on it too, when that is told. */
  #rule({ work }: Entry, code: string, message: string): void {
    this.#settled.push({
      kind: 'settled',
      work,
      status: 'skipped',
      failure: reason(code, message),
    });
  }

  #queueOf({ work }: Entry): AgentQueue | undefined {
    return this.#agents.get(work.plannedAgentId ?? '') ?? this.#agents.values().next().value;
  }

  #onDependencyEnded(entry: Entry, taskId: string, status: OutcomeStatus): void {
    if (!this.#blocked.has(entry)) return; // ruled out already
    if (status === 'completed') {
      entry.waitsFor -= 1;
      if (entry.waitsFor > 0) return;
      this.#blocked.delete(entry);
      this.#queueOf(entry)?.insert(entry);
      return;
    }
    this.#blocked.delete(entry);
    this.#rule(entry, 'AGENTS_DEPENDENCY_NOT_DONE', `It depends on ${taskId}, which is ${status}`);
  }

  #takeSettled(): Claim | undefined {
    return this.#settled.take();
  }

  #start(entry: Entry, agent: AgentQueue): Claim {
    agent.begin(entry, this.#now());
    this.#running.set(entry.work.taskId, agent);
    return { kind: 'work', work: entry.work };
  }

  /**
   * From the agent that would end last: its largest task that the thief ends before that. A slow agent so leaves a long
   * task to a fast one, however idle it is.
   */
  #steal(thief: AgentQueue): Entry | undefined {
    const now = this.#now();
    let victim: AgentQueue | undefined;
    let latest = -Infinity;
    for (const agent of this.#agents.values()) {
      const finish = agent === thief || !agent.hasStealable ? -Infinity : agent.finishAt(now);
      if (finish > latest) {
        victim = agent;
        latest = finish;
      }
    }
    const stolen = victim?.takeLargestWithin((latest - now) * thief.speed);
    if (stolen) this.steals += 1;
    return stolen;
  }

  #mayFreeWork(): boolean {
    if (this.#cancelReason !== undefined) return false;
    const agents = [...this.#agents.values()];
    // What is not even started counts: whoever has it will start it.
    if (this.#running.size === 0 && agents.every((agent) => agent.isEmpty)) return false;
    if (this.#blocked.size > 0) return true;
    // A task may overrun, and its agent's queue be worth stealing from after all.
    return this.#canSteal && agents.some((agent) => agent.hasStealable);
  }

  #change(): Promise<void> {
    this.#changed ??= Promise.withResolvers<void>();
    return this.#changed.promise;
  }

  #announce(): void {
    this.#changed?.resolve();
    this.#changed = undefined;
  }
}

const NOTHING: ReadonlySet<string> = new Set();

/** First in, first out, without moving the rest at each step: a cancelled wave may leave a million. */
class Line<Item> {
  #items: Item[] = [];
  #head = 0;

  get isEmpty(): boolean {
    return this.#head === this.#items.length;
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  takeWhere(isIt: (item: Item) => boolean): Item | undefined {
    const at = this.#items.findIndex((item, index) => index >= this.#head && isIt(item));
    return at === -1 ? undefined : this.#items.splice(at, 1)[0];
  }

  take(): Item | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    this.#head += 1;
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    }
    return item;
  }
}
