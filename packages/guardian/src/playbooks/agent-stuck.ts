import { probeOf } from '../playbook/check.ts';
import { definePlaybook } from '../playbook/define-playbook.ts';
import { irreversible } from '../playbook/step.ts';
import { on } from '../playbook/trigger.ts';

/** An agent makes no progress, or the same call again and again: its turn ends, and another begins with a word of advice. */
export const agentStuck = definePlaybook({
  id: 'agent_stuck',
  name: 'Agent stuck',
  description:
    'Keeps how far the agent came, ends its turn, by force when it does not obey, and begins another with a hint to do it differently.',
  category: 'ai',
  tier: 3,
  priority: 7,
  needs: { agent: 'agent' },
  triggers: [on(['agent.silent', 'agent.looping'])],
  // Who waits for a quota makes no progress, and a new turn would cost more of it.
  contraindicatedBy: ['quota_exhausted'],
  diagnose: async ({ resources, symptom, signal }) => ({
    progress: await resources.agent.progress(signal),
    isLooping: symptom.signal === 'agent.looping',
  }),
  steps: (step) => [
    step({
      id: 'checkpoint',
      description: 'Keeps how far it came.',
      tier: 2,
      timeoutMs: 5_000,
      effects: ['agent.checkpoint'],
      run: ({ resources, signal }) => resources.agent.checkpoint(signal),
      undo: irreversible('how far it came is true, whatever becomes of the rest'),
    }),
    step({
      id: 'cancel_turn',
      description: 'Asks the turn to end.',
      tier: 2,
      timeoutMs: 10_000,
      effects: ['agent.cancelTurn'],
      run: ({ resources, signal }) => resources.agent.cancelTurn(signal),
      undo: {
        description: 'Begins a turn at the checkpoint, with no hint.',
        effects: ['agent.resume'],
        run: async ({ resources: { agent }, signal }) => {
          if (!(await agent.progress(signal)).isTurning) await agent.resume('', signal);
        },
      },
    }),
    step({
      id: 'end_by_force',
      description: 'Ends a turn that does not obey.',
      tier: 3,
      timeoutMs: 10_000,
      effects: ['agent.end'],
      ifRefused: 'skip',
      run: async ({ resources: { agent }, signal }) => {
        if ((await agent.progress(signal)).isTurning) await agent.end(signal);
      },
      undo: irreversible('a turn that was ended is not revived: the next begins at the checkpoint'),
    }),
    step({
      id: 'resume',
      description: 'Begins a turn at the checkpoint, with a hint to do it differently.',
      tier: 2,
      timeoutMs: 10_000,
      effects: ['agent.resume'],
      run: ({ resources, diagnosis, signal }) =>
        resources.agent.resume(
          diagnosis.isLooping
            ? 'The last call was repeated with the same arguments and did not help: do something else.'
            : 'There was no progress for a long time: take smaller steps, or another way.',
          signal,
        ),
      undo: {
        description: 'Asks this turn to end; the one before the hint follows.',
        effects: ['agent.cancelTurn'],
        run: ({ resources, signal }) => resources.agent.cancelTurn(signal),
      },
    }),
  ],
  verify: {
    checks: [
      probeOf('agent'),
      {
        name: 'it makes progress',
        run: ({ resources, signal }) => resources.agent.advances(signal),
      },
    ],
    withinMs: 15_000,
  },
  mttrTargetMs: 30_000,
});
