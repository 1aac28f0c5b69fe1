import { hash } from 'node:crypto';
import type { Tier } from '@buddy/core';
import { parseOrThrow } from '@buddy/core';
import { z } from 'zod';
import { GuardianConfigError } from '../errors.ts';
import { EFFECTS, effectNature } from '../resource/effects.ts';
import type { Verification } from './check.ts';
import type { Needs, PlaybookContext } from './context.ts';
import type { CheckedStep, NonEmpty, RunnableStep, Step, StepFactory } from './step.ts';
import type { Contraindication, Trigger } from './trigger.ts';

export const PLAYBOOK_CATEGORIES = [
  'governance',
  'data',
  'process',
  'resource',
  'network',
  'config',
  'identity',
  'ai',
] as const;
export type PlaybookCategory = (typeof PLAYBOOK_CATEGORIES)[number];

/** What the author of a playbook writes. */
export interface PlaybookInput<N extends Needs, Diagnosis> {
  /** `service_crashed`. Never renamed: statistics and certificates hang on it. */
  id: string;
  name: string;
  description: string;
  category: PlaybookCategory;
  /** That of its highest step. */
  tier: Tier;
  /** 1 to 10; the higher is tried first. */
  priority: number;
  /** Its roles: `{ service: 'service', port: 'port' }`. The resource with the symptom fills the role of its kind. */
  needs: N;
  triggers: NonEmpty<Trigger>;
  contraindicatedBy: readonly Contraindication[];
  /** Looks closer, without changing anything; the steps are told what it found. */
  diagnose: (context: PlaybookContext<N>) => Promise<Diagnosis>;
  steps: (step: StepFactory<N, Diagnosis>) => NonEmpty<CheckedStep<N, Diagnosis>>;
  verify: Verification<N>;
  /** From detected to restored, in ms. */
  mttrTargetMs: number;
  /** Counted up by the author when code that the functions above call has changed. Default 1. */
  revision?: number;
}

/** A playbook as the engine sees it. Made by `definePlaybook` only. */
export interface Playbook {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly category: PlaybookCategory;
  readonly tier: Tier;
  readonly priority: number;
  readonly needs: Needs;
  readonly triggers: NonEmpty<Trigger>;
  readonly contraindicatedBy: readonly Contraindication[];
  readonly diagnose: (context: PlaybookContext<Needs>) => Promise<unknown>;
  readonly steps: NonEmpty<Step>;
  readonly verify: Required<Verification<Needs>>;
  readonly mttrTargetMs: number;
  /** SHA-256 of what its author wrote: its data and the text of its functions, not of what they call. */
  readonly codeHash: string;
  /** Roles that it takes away for a while. */
  readonly interruptedRoles: readonly string[];
}

const NAME = /^[a-z][a-z0-9_]*$/;
const positive = z.number().positive().finite();
const kinds = Object.keys(EFFECTS);

const callable = z.custom((value) => typeof value === 'function', 'must be a function');

// For callers without types: what the types demand is demanded here too.
const StepFace = z.object({
  id: z.string().max(40).regex(NAME, 'must read like respawn_service'),
  description: z.string().min(1),
});
const UndoFields = z.object({
  description: z.string().min(1),
  effects: z.array(z.string()).min(1),
  run: callable,
});
const ActingFields = {
  timeoutMs: positive,
  run: callable,
  undo: z.union([
    UndoFields,
    z.object({ irreversible: z.string().min(1), compensate: UndoFields.optional() }),
  ]),
};
const StepFields = z.discriminatedUnion('tier', [
  StepFace.extend({ tier: z.literal(1), effects: z.array(z.string()).max(0), ...ActingFields }),
  StepFace.extend({
    tier: z.literal([2, 3]),
    effects: z.array(z.string()).min(1, 'a change has effects: name them'),
    ...ActingFields,
  }),
  StepFace.extend({ tier: z.literal(4), instructions: z.array(z.string().min(1)).min(1) }),
]);

const Fields = z.object({
  id: z.string().max(60).regex(NAME, 'must read like service_crashed'),
  name: z.string().min(1),
  description: z.string().min(1),
  category: z.enum(PLAYBOOK_CATEGORIES),
  tier: z.literal([1, 2, 3, 4]),
  priority: z.int().min(1).max(10),
  needs: z
    .record(z.string().regex(NAME), z.enum(kinds))
    .refine((needs) => Object.keys(needs).length > 0, 'must name at least one role'),
  triggers: z.array(z.object({ signals: z.array(z.string().min(1)).min(1) })).min(1),
  verify: z.object({
    checks: z.array(z.object({ name: z.string().min(1) })).min(1),
    successes: z.int().positive().default(2),
    intervalMs: positive.default(100),
    withinMs: positive,
    stableForMs: z.number().nonnegative().default(5_000),
  }),
  mttrTargetMs: positive,
  revision: z.int().positive().default(1),
});

/**
 * Makes a playbook: for which symptoms it is, what it does step by step, how each step is taken back, and how it is proved
 * that it helped.
 *
 * Types demand an undo (or a reason why there is none), the effects, and at least one check; a step of tier 4 has
 * instructions and no code.
 * @throws {InvalidInputError} When a field is not usable.
 * @throws {GuardianConfigError} When the fields do not fit each other.
 * @example
 * const serviceCrashed = definePlaybook({
 *   id: 'service_crashed', name: 'Service crashed', description: 'Starts a service that ended by itself.',
 *   category: 'process', tier: 3, priority: 9,
 *   needs: { service: 'service' },
 *   triggers: [on('process.exited')],
 *   contraindicatedBy: ['quota_exhausted'],
 *   diagnose: async ({ resources, signal }) => resources.service.state(signal),
 *   steps: (step) => [
 *     step({
 *       id: 'respawn', description: 'Starts it again.', tier: 3, timeoutMs: 10_000,
 *       effects: ['service.start'],
 *       run: ({ resources, signal }) => resources.service.start(signal),
 *       undo: {
 *         description: 'Stops what was started.', effects: ['service.stop'],
 *         run: ({ resources, signal }) => resources.service.stop(signal),
 *       },
 *     }),
 *   ],
 *   verify: { checks: [probeOf('service')], withinMs: 10_000 },
 *   mttrTargetMs: 10_000,
 * });
 */
export function definePlaybook<const N extends Needs, Diagnosis>(
  input: PlaybookInput<N, Diagnosis>,
): Playbook {
  const fields = parseOrThrow(Fields, input, `playbook "${input.id}"`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the mark exists for the type checker alone
  const factory = ((step: unknown) => step) as StepFactory<N, Diagnosis>;
  // Each step was checked against the needs and the diagnosis where it was written; the engine hands it what it was written for.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const steps = input.steps(factory) as unknown as NonEmpty<Step>;
  checkSteps(fields, input.needs, steps);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  const { diagnose, verify } = input as unknown as Pick<Playbook, 'diagnose' | 'verify'>;
  return Object.freeze({
    id: fields.id,
    name: fields.name,
    description: fields.description,
    category: fields.category,
    tier: fields.tier,
    priority: fields.priority,
    needs: input.needs,
    triggers: input.triggers,
    contraindicatedBy: input.contraindicatedBy,
    diagnose,
    steps,
    verify: { ...fields.verify, checks: verify.checks },
    mttrTargetMs: fields.mttrTargetMs,
    codeHash: hash('sha256', textOf({ ...input, steps })),
    interruptedRoles: interruptedRoles(input.needs, steps),
  });
}

function interruptedRoles(needs: Needs, steps: readonly Step[]): string[] {
  const roles = steps.flatMap(({ effects = [] }) =>
    effects.flatMap((effect) => {
      const { role, method, kind } = readEffect(effect, needs);
      return kind && effectNature(kind, method) === 'interrupts' ? [role] : [];
    }),
  );
  return [...new Set(roles)];
}

function readEffect(effect: string, needs: Needs) {
  const [role = '', method = ''] = effect.split('.');
  return { role, method, kind: needs[role] };
}

export function isRunnable(step: Step): step is RunnableStep {
  return step.tier !== 4;
}

/**
 * Checks a playbook that is there already, as `definePlaybook` checks one that is being made: for those that came another way.
 * @throws {InvalidInputError} When a field is not usable.
 * @throws {GuardianConfigError} When the fields do not fit each other.
 */
export function checkPlaybook(playbook: Playbook): void {
  checkSteps(
    parseOrThrow(Fields, playbook, `playbook "${playbook.id}"`),
    playbook.needs,
    playbook.steps,
  );
}

function checkSteps(
  { id, tier }: z.output<typeof Fields>,
  needs: Needs,
  steps: readonly Step[],
): void {
  const wrong = (problem: string): never => {
    throw new GuardianConfigError(`Playbook "${id}": ${problem}`);
  };
  if (steps.length === 0) wrong('it has no steps.');
  const ids = new Set<string>();
  for (const step of steps) {
    parseOrThrow(StepFields, step, `step "${step.id}" of playbook "${id}"`);
    if (ids.has(step.id)) wrong(`two steps are "${step.id}".`);
    ids.add(step.id);
    if (step.tier === 4) {
      if ('run' in step) {
        wrong(`step "${step.id}" is of tier 4, which is for people: it has no code.`);
      }
      continue;
    }
    const undo = 'irreversible' in step.undo ? step.undo.compensate : step.undo;
    const effects: readonly string[] = [...step.effects, ...(undo?.effects ?? [])];
    for (const effect of effects) {
      const { kind, method } = readEffect(effect, needs);
      if (kind === undefined || effectNature(kind, method) === undefined) {
        wrong(`step "${step.id}" declares "${effect}", which is no effect of any of its roles.`);
      }
    }
  }
  const highest = Math.max(...steps.map((step) => step.tier));
  if (highest !== tier) {
    wrong(`its tier is ${tier}, but its highest step is of tier ${highest}; say ${highest}.`);
  }
}

/** All that was written, functions by their text: two definitions with one text are one code. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'function' ? `function ${member.toString()}` : member,
  );
}
