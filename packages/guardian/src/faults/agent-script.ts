import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { AgentProgram } from '../adapters/agent/supervised-agent.ts';
import { defineFault } from './define-fault.ts';
import { AVAILABLE } from './host.ts';

const MODES = ['loop', 'silent'] as const;
type Mode = (typeof MODES)[number];

/** An agent without a model: it counts, calls a tool for each number, and can be made to loop or to fall silent. */
export interface ScriptedAgent extends AgentProgram {
  /** The number that it has come to. */
  readonly step: number;
  /** How often it made its last call, in a row. */
  readonly repeats: number;
  /** The hints that its turns began with. */
  readonly hints: readonly string[];
  /** What its turn does from now on; the next turn is as it should be. */
  script: Mode | undefined;
  /** Whether its turn ends when it is asked to. */
  isDeaf: boolean;
}

/**
 * Makes an agent that takes a step every `everyMs` milliseconds, 5 by default, for ever.
 * @example
 * const program = createScriptedAgent();
 * const agent = createSupervisedAgent({ repeats: 3 }, { program });
 * await using fault = await kit.inject(agentScript, { agent: program, mode: 'loop' });
 */
export function createScriptedAgent({ everyMs = 5 } = {}): ScriptedAgent {
  let step = 0;
  let repeats = 0;
  const hints: string[] = [];
  const agent: ScriptedAgent = {
    script: undefined,
    isDeaf: false,
    hints,
    get step() {
      return step;
    },
    get repeats() {
      return repeats;
    },
    begin: ({ checkpoint, hint, signal, report }) => {
      hints.push(hint);
      agent.script = undefined;
      agent.isDeaf = false;
      let isDeaf = false;
      step = typeof checkpoint === 'number' ? checkpoint : 0;
      const turn = hints.length;
      const work = async (): Promise<boolean> => {
        while (isDeaf || !signal.aborted) {
          await sleep(everyMs);
          if (turn !== hints.length) return false; // another turn has begun: nobody hears this one
          isDeaf = agent.isDeaf;
          if (agent.script === 'silent') continue;
          if (agent.script === 'loop') repeats += 1;
          else {
            step += 1;
            repeats = 1;
          }
          report.called('look-up', { number: step });
          if (agent.script === undefined) report.progressed(`step ${step}`, step);
        }
        return false;
      };
      return { done: work() };
    },
  };
  return agent;
}

const LOOK_MS = 40;

/** An agent makes the same call for ever, or says nothing any more. It lives in this process, and is gone with it. */
export const agentScript = defineFault({
  kind: 'agentScript',
  description: 'An agent makes the same call for ever, or falls silent.',
  options: z.strictObject({
    agent: z.custom<ScriptedAgent>(
      (value) => typeof value === 'object' && value !== null && 'script' in value,
      'must be made by createScriptedAgent',
    ),
    mode: z.enum(MODES),
    /** Whether it ignores that its turn is to end. */
    isDeaf: z.boolean().default(false),
  }),
  note: z.strictObject({ mode: z.enum(MODES) }),
  caps: { seconds: 120, bytes: 0 },
  capability: () => AVAILABLE,
  open: async ({ agent, mode, isDeaf }) => ({
    note: { mode },
    isPresent: async (signal) => {
      const [step, repeats] = [agent.step, agent.repeats];
      await sleep(LOOK_MS, undefined, { signal });
      if (agent.step !== step) return false;
      return mode === 'loop' ? agent.repeats > repeats : agent.repeats === repeats;
    },
    apply: async () => {
      agent.script = mode;
      agent.isDeaf = isDeaf;
    },
    revert: async () => {
      agent.script = undefined;
      agent.isDeaf = false;
    },
  }),
  recover: async () => undefined,
});
