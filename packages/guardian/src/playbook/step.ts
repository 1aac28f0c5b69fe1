import type {
  DiagnosedContext,
  EffectName,
  JsonValue,
  Needs,
  StepContext,
  UndoContext,
} from './context.ts';

export type NonEmpty<T> = readonly [T, ...T[]];

/** Takes a step back. Has to bear being called after a step that was done by half, and being called twice. */
export interface Undo<N extends Needs, Before> {
  /** What it does, for whoever reads how a healing is taken back. */
  readonly description: string;
  readonly effects: NonEmpty<EffectName<N>>;
  readonly run: (context: UndoContext<N, Before>) => Promise<void>;
}

/** Why a step cannot be taken back, and what is done instead, where anything can be. */
export interface Irreversible<N extends Needs, Before> {
  readonly irreversible: string;
  readonly compensate?: Undo<N, Before>;
}

/**
 * Says that a step cannot be taken back, and why.
 * @example
 * undo: irreversible('a dispatch that is frozen stays frozen: that is the safe side')
 */
export function irreversible<N extends Needs, Before>(
  reason: string,
  compensate?: Undo<N, Before>,
): Irreversible<N, Before> {
  return { irreversible: reason, ...(compensate && { compensate }) };
}

interface StepFace {
  /** Short and unique in its playbook; part of the tool's name. */
  readonly id: string;
  readonly description: string;
}

interface ActingStep<N extends Needs, Diagnosis, Before extends JsonValue> extends StepFace {
  /** Milliseconds after which it is aborted and undone. */
  readonly timeoutMs: number;
  /** Whether this step is called for. Default: it is. */
  readonly when?: (context: DiagnosedContext<N, Diagnosis>) => boolean;
  /** Looks at what the undo will need. Written down before `run` is called. */
  readonly before?: (context: DiagnosedContext<N, Diagnosis>) => Promise<Before>;
  readonly run: (context: StepContext<N, Diagnosis, Before>) => Promise<void>;
  readonly undo: Undo<N, Before> | Irreversible<N, Before>;
  /** When it may not run: `stop` the playbook (the default), or `skip` the step and go on. */
  readonly ifRefused?: 'stop' | 'skip';
}

/** Only looks. */
export interface ObservingStep<
  N extends Needs,
  Diagnosis,
  Before extends JsonValue,
> extends ActingStep<N, Diagnosis, Before> {
  readonly tier: 1;
  readonly effects: readonly [];
}

/** Changes something: 2 what can be taken back, 3 what is costly or hard to undo. */
export interface ChangingStep<
  N extends Needs,
  Diagnosis,
  Before extends JsonValue,
> extends ActingStep<N, Diagnosis, Before> {
  readonly tier: 2 | 3;
  readonly effects: NonEmpty<EffectName<N>>;
}

/** For people only: it has no code, so nothing can run it. */
export interface HumanStep extends StepFace {
  readonly tier: 4;
  readonly instructions: NonEmpty<string>;
  readonly effects?: never;
  readonly before?: never;
  readonly run?: never;
  readonly undo?: never;
}

export type StepInput<N extends Needs, Diagnosis, Before extends JsonValue> =
  | ObservingStep<N, Diagnosis, Before>
  | ChangingStep<N, Diagnosis, Before>
  | HumanStep;

/** A step as the engine sees it: what its author's types said was checked where it was written. */
export type Step = StepInput<Needs, unknown, JsonValue>;
export type RunnableStep = Exclude<Step, HumanStep>;

declare const checked: unique symbol;
/** A step that was written against the needs and the diagnosis of its playbook. */
export type CheckedStep<N extends Needs, Diagnosis> = StepFace & {
  readonly [checked]: (needs: N, diagnosis: Diagnosis) => void;
};

/** Makes a step of the playbook that is being defined, with its types. */
export type StepFactory<N extends Needs, Diagnosis> = <Before extends JsonValue = null>(
  step: StepInput<N, Diagnosis, Before>,
) => CheckedStep<N, Diagnosis>;
