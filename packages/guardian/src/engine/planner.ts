import { describeFailure, type Tier } from '@buddy/core';
import { isRunnable } from '../playbook/define-playbook.ts';
import { type EffectPermit, READ_ONLY } from '../resource/guarded-adapter.ts';
import type { Autonomy } from './autonomy.ts';
import { withDeadlineOf } from './deadline.ts';
import type { Parts } from './parts.ts';
import { describeUndo, type DryRun, type Plan, type PlannedStep } from './plan.ts';
import type { PlaybookRecord } from './playbook-record.ts';
import { contextOf, type RunRequest } from './run-request.ts';
import { skippingClock } from './skipping-clock.ts';

/** A plan, and the diagnosis that it follows from. */
export type DiagnosedPlan = Plan & { diagnosis: unknown };

interface PlannerParts {
  parts: Parts;
  autonomy: Autonomy;
  record: PlaybookRecord;
}

/** Says what a playbook would do now. Looks, and changes nothing. */
export class Planner {
  readonly #p: PlannerParts;

  constructor(parts: PlannerParts) {
    this.#p = parts;
  }

  async plan(request: RunRequest): Promise<DiagnosedPlan> {
    const { autonomy, record, parts } = this.#p;
    const { playbook, roles, signal } = request;
    const { incident } = request.live;
    const context = contextOf(parts, request, READ_ONLY);
    const diagnosis = await withDeadlineOf(
      parts,
      {
        what: `diagnose of ${playbook.id}`,
        timeoutMs: playbook.verify.withinMs + parts.options.probeTimeoutMs,
        signal,
      },
      (own) => playbook.diagnose({ ...context, signal: own }),
    );
    const isRehearsal = incident.rehearses === playbook.id;
    const steps = playbook.steps.map((step): PlannedStep => {
      const isCalledFor = !isRunnable(step) || !step.when || step.when({ ...context, diagnosis });
      return {
        id: step.id,
        description: step.description,
        tier: step.tier,
        isCalledFor,
        refusal: isCalledFor ? autonomy.refusal(playbook, step.tier, isRehearsal) : undefined,
        effects: step.effects ?? [],
        undo: describeUndo(step),
        timeoutMs: isRunnable(step) ? step.timeoutMs : 0,
      };
    });
    const called = steps.filter(({ isCalledFor }) => isCalledFor);
    return {
      playbook: playbook.id,
      resource: incident.resource,
      roles,
      tier: called.reduce<Tier>((highest, { tier }) => (tier > highest ? tier : highest), 1),
      steps,
      effects: [...new Set(called.flatMap(({ effects }) => effects))],
      expectedMs: record.meanMs(playbook.id, incident.resource) ?? playbook.mttrTargetMs,
      diagnosis,
    };
  }

  /** Runs the steps against adapters that note effects and do none, on a clock whose sleeps take no time. */
  async dryRun(request: RunRequest): Promise<DryRun> {
    const { parts } = this.#p;
    const { playbook, signal } = request;
    const { diagnosis, ...plan } = await this.plan(request);
    const clock = skippingClock(parts.clock);
    const calls: Record<string, readonly string[]> = {};
    const problems: Record<string, string> = {};
    for (const [index, step] of playbook.steps.entries()) {
      if (!isRunnable(step) || !plan.steps[index]?.isCalledFor) continue;
      const made: string[] = [];
      calls[step.id] = made;
      const permit: EffectPermit = {
        declared: step.effects,
        isDryRun: true,
        onEffect: (effect) => made.push(effect),
      };
      const context = { ...contextOf(parts, request, permit), clock };
      try {
        const limits = { what: step.id, timeoutMs: step.timeoutMs, signal };
        await withDeadlineOf(parts, limits, async (own) => {
          const before = (await step.before?.({ ...context, diagnosis, signal: own })) ?? null;
          await step.run({ ...context, diagnosis, before, signal: own });
        });
      } catch (error) {
        const failure = describeFailure(error);
        if (failure.code === 'GUARDIAN_UNDECLARED_EFFECT') throw error;
        problems[step.id] = failure.message;
      }
    }
    return { plan, calls, problems };
  }
}
