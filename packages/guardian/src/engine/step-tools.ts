import { defineTool, type Tool, toolContext } from '@buddy/core';
import { z } from 'zod';
import { GuardianMisuseError } from '../errors.ts';
import { isRunnable, type Playbook } from '../playbook/define-playbook.ts';
import type { RunnableStep } from '../playbook/step.ts';

/** Puts a gate in front of a tool: `governance.govern` of @buddy/governance fits. */
export type Govern = (tool: Tool<StepCall, null>) => Tool<StepCall, null>;

const StepCall = z.strictObject({
  incident: z.string(),
  resource: z.string(),
  effects: z.array(z.string()),
  /** Whether the playbook holds a certificate that is good now, or is being rehearsed. */
  certified: z.boolean(),
});
/** What a gate gets to see of a step. */
export type StepCall = z.output<typeof StepCall>;

/** Does a step, once the gate has let it through. */
type Act = (signal: AbortSignal) => Promise<void>;

export interface ActRequest {
  playbook: Playbook;
  step: RunnableStep;
  call: StepCall;
  idempotencyKey: string;
  rationale: string;
  signal: AbortSignal;
  act: Act;
}

/** Every step of every playbook as a tool, `guardian.<playbook>.<step>`, with the gate in front of it. */
export class StepTools {
  readonly #tools = new Map<string, Tool<StepCall, null>>();
  /** What the tools are to do, by idempotency key: an incident has one run at a time. */
  readonly #acts = new Map<string, Act>();

  constructor(playbooks: Iterable<Playbook>, govern: Govern) {
    for (const playbook of playbooks) {
      for (const step of playbook.steps.filter((one) => isRunnable(one))) {
        const name = nameOf(playbook, step);
        this.#tools.set(name, govern(this.#toolFor(name, step)));
      }
    }
  }

  get all(): readonly Tool<StepCall, null>[] {
    return [...this.#tools.values()];
  }

  /**
   * Asks the gate, and acts.
   * @throws {ToolDeniedError} When the gate says no.
   * @throws {ApprovalRequiredError} When a person has to agree first.
   */
  async run({ playbook, step, call, act, ...context }: ActRequest): Promise<void> {
    const name = nameOf(playbook, step);
    const key = context.idempotencyKey;
    this.#acts.set(key, act);
    try {
      await this.#tools.get(name)?.execute(
        call,
        toolContext({
          actor: { kind: 'system', id: 'guardian' },
          ...context,
          // All tries at one incident: what a person agreed to after one of them is found by the next.
          runId: call.incident,
          taskId: call.incident,
        }),
      );
    } finally {
      this.#acts.delete(key);
    }
  }

  #toolFor(name: string, step: RunnableStep): Tool<StepCall, null> {
    return defineTool({
      name,
      description: step.description,
      tier: step.tier,
      effect: 'once',
      input: StepCall,
      output: z.null(),
      execute: async (_call, { signal, idempotencyKey }) => {
        const act = this.#acts.get(idempotencyKey);
        if (!act) throw new GuardianMisuseError(`${name} is run by the guardian only.`);
        await act(signal);
        return null;
      },
    });
  }
}

function nameOf({ id }: Playbook, step: RunnableStep): string {
  return `guardian.${id}.${step.id}`;
}
