import assert from 'node:assert/strict';
import type {
  HistoryEntry,
  Operation,
  StoredWorkflow,
  Wait,
  WorkflowStore,
  WorkflowView,
} from '@buddy/agents';

/**
 * A journal in memory that outlives the engines over it, as a disk outlives processes. It refuses a verb's key that is used
 * twice. After `diesAfter` operations nothing is kept any more and nobody hears of it: the process has crashed.
 */
export class Remembered {
  readonly operations: Operation[] = [];
  diesAfter = Infinity;

  /** As the next process opens it. */
  open(): WorkflowStore {
    const { operations } = this;
    const keep = (operation: Operation): Promise<void> => {
      if (operations.length >= this.diesAfter) return new Promise(() => undefined);
      if (operation.kind === 'recorded' || operation.kind === 'told') {
        const { kind, id, key } = operation;
        const isThere = operations.some(
          (one) => one.kind === kind && one.id === id && one.key === key,
        );
        assert(!isThere, `${kind} ${id} ${key} twice`);
      }
      if (operation.kind === 'signalled' && this.#hasSignal(operation)) return Promise.resolve();
      if (operation.kind === 'compacted') this.#compact(operation.id);
      else operations.push(operation);
      return Promise.resolve();
    };
    return {
      keep,
      offer: keep,
      stalled: () => undefined,
      settled: () => Promise.resolve(),
      load: (id) => this.load(id),
      unfinished: (below) =>
        this.#workflows()
          .filter(({ id, ended }) => !ended && (below === undefined || this.#isBelow(id, below)))
          .map((stored) => ({ ...stored, ...this.#parked(stored) })),
      views: () => this.#workflows().map(viewOf),
      history: (after) => this.#history().filter(({ seq }) => seq > after),
      close: () => Promise.resolve(),
    };
  }

  #hasSignal({ id, key }: { id: string; key: string }): boolean {
    return this.operations.some(
      (one) => one.kind === 'signalled' && one.id === id && one.key === key,
    );
  }

  #compact(id: string): void {
    const left = this.operations.filter(
      (one) =>
        (one.id === id || !this.#isBelow(one.id, id) || this.#isNeeded(one.id, id)) &&
        (one.id !== id || one.kind === 'begun' || one.kind === 'ended'),
    );
    this.operations.splice(0, Infinity, ...left);
  }

  /** Something that runs is above or below, no higher than `top`. */
  #isNeeded(id: string, top: string): boolean {
    return this.#workflows().some(
      (one) =>
        !one.ended &&
        (one.id === id || this.#isBelow(one.id, id) || this.#isBelow(id, one.id)) &&
        this.#isBelow(one.id, top),
    );
  }

  load(id: string): StoredWorkflow | undefined {
    const mine = this.operations.filter((operation) => operation.id === id);
    const begun = mine.find((operation) => operation.kind === 'begun');
    if (!begun) return undefined;
    const { workflow, version, parentId, input } = begun;
    const recorded = mine.filter((operation) => operation.kind === 'recorded');
    const consumed = new Set(recorded.map(({ consumes }) => consumes));
    const ended = mine.find((operation) => operation.kind === 'ended');
    const cancelled = this.operations.find(
      (operation) =>
        operation.kind === 'cancelled' && (operation.id === id || this.#isBelow(id, operation.id)),
    );
    return {
      id,
      workflow,
      version,
      parentId,
      input,
      cancelReason: cancelled?.kind === 'cancelled' ? cancelled.reason : undefined,
      ended: ended && { status: ended.status, result: ended.result },
      recorded: new Map(recorded.map(({ key, value }) => [key, value])),
      intended: new Map(
        mine.flatMap((one) => (one.kind === 'intended' ? [[one.key, one.tries] as const] : [])),
      ),
      timed: new Map(
        mine.flatMap((one) => (one.kind === 'timed' ? [[one.key, one] as const] : [])),
      ),
      told: new Set(mine.flatMap((one) => (one.kind === 'told' ? [one.key] : []))),
      signals: mine.flatMap((one) =>
        one.kind === 'signalled' ? [{ ...one, isConsumed: consumed.has(one.key) }] : [],
      ),
    };
  }

  #workflows(): StoredWorkflow[] {
    return this.operations.flatMap((operation) => {
      const stored = operation.kind === 'begun' ? this.load(operation.id) : undefined;
      return stored ? [stored] : [];
    });
  }

  #parked({ id, cancelReason, signals }: StoredWorkflow): { parked?: Wait } {
    if (signals.some(({ isConsumed }) => !isConsumed)) return {};
    const last = this.operations.findLast((operation) => operation.id === id);
    const isParked = last?.kind === 'timed' && last.isParked && cancelReason === undefined;
    return isParked ? { parked: last } : {};
  }

  #isBelow(id: string, ancestor: string): boolean {
    const begun = this.operations.find((one) => one.kind === 'begun' && one.id === id);
    const parentId = begun?.kind === 'begun' ? begun.parentId : null;
    return parentId !== null && (parentId === ancestor || this.#isBelow(parentId, ancestor));
  }

  #history(): HistoryEntry[] {
    return this.operations.flatMap((operation, at): HistoryEntry[] => {
      if (operation.kind !== 'recorded' && operation.kind !== 'told') return [];
      const { kind, id: workflowId, at: time, key } = operation;
      const value: unknown = JSON.parse(kind === 'told' ? operation.fact : operation.value);
      const common = { seq: at + 1, at: time, workflowId, key, value };
      if (kind === 'told') return [{ ...common, kind }];
      return [{ ...common, kind, tool: operation.tool ?? null }];
    });
  }
}

function viewOf({ id, workflow, ended, cancelReason }: StoredWorkflow): WorkflowView {
  return { id, workflow, status: ended?.status ?? 'running', cancelReason: cancelReason ?? null };
}
