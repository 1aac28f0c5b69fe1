import { definePlaybook } from '../playbook/define-playbook.ts';
import { on } from '../playbook/trigger.ts';

/** Jobs wait too long, or one fails again and again and keeps the others waiting. */
export const queueBacklog = definePlaybook({
  id: 'queue_backlog',
  name: 'Queue backlog',
  description:
    'Takes in nothing new, sets jobs aside that always fail, adds a worker within the cap, and takes in again.',
  category: 'ai',
  tier: 2,
  priority: 6,
  needs: { queue: 'queue' },
  triggers: [on(['queue.backlog', 'queue.poison'])],
  contraindicatedBy: [],
  diagnose: async ({ resources: { queue }, signal }) => ({
    poisoned: await queue.poisoned(signal),
    workers: queue.workers(),
    canGrow: queue.workers() < queue.maxWorkers(),
    isPaused: await queue.isIntakePaused(signal),
  }),
  steps: (step) => [
    step({
      id: 'pause_intake',
      description: 'Takes in no new jobs.',
      tier: 2,
      timeoutMs: 5_000,
      effects: ['queue.pauseIntake'],
      when: ({ diagnosis }) => !diagnosis.isPaused,
      run: ({ resources, signal }) => resources.queue.pauseIntake(signal),
      undo: {
        description: 'Takes in jobs again.',
        effects: ['queue.resumeIntake'],
        run: ({ resources, signal }) => resources.queue.resumeIntake(signal),
      },
    }),
    step({
      id: 'set_poison_aside',
      description: 'Moves jobs that always fail to the dead letters, whole.',
      tier: 2,
      timeoutMs: 5_000,
      effects: ['queue.deadLetter'],
      when: ({ diagnosis }) => diagnosis.poisoned.length > 0,
      before: async ({ diagnosis }) => ({ jobs: diagnosis.poisoned }),
      run: async ({ resources, before, signal }) => {
        for (const job of before.jobs) await resources.queue.deadLetter(job, signal);
      },
      undo: {
        description: 'Puts them back where they were.',
        effects: ['queue.reinsert'],
        run: async ({ resources, before, signal }) => {
          for (const job of before.jobs) await resources.queue.reinsert(job, signal);
        },
      },
    }),
    step({
      id: 'add_worker',
      description: 'Adds a worker.',
      tier: 2,
      timeoutMs: 10_000,
      effects: ['queue.setWorkers'],
      when: ({ diagnosis }) => diagnosis.canGrow && diagnosis.poisoned.length === 0,
      before: async ({ diagnosis }) => ({ workers: diagnosis.workers }),
      run: ({ resources, before, signal }) =>
        resources.queue.setWorkers(before.workers + 1, signal),
      undo: {
        description: 'Goes back to as many as there were.',
        effects: ['queue.setWorkers'],
        run: ({ resources, before, signal }) => resources.queue.setWorkers(before.workers, signal),
      },
    }),
    step({
      id: 'resume_intake',
      description: 'Takes in jobs again.',
      tier: 2,
      timeoutMs: 5_000,
      effects: ['queue.resumeIntake'],
      when: ({ diagnosis }) => !diagnosis.isPaused,
      run: ({ resources, signal }) => resources.queue.resumeIntake(signal),
      undo: {
        description: 'Takes in none again.',
        effects: ['queue.pauseIntake'],
        run: ({ resources, signal }) => resources.queue.pauseIntake(signal),
      },
    }),
  ],
  verify: {
    checks: [
      {
        name: 'the queue is short enough, or becomes so',
        run: ({ resources, signal }) => resources.queue.drains(signal),
      },
    ],
    successes: 3,
    intervalMs: 200,
    withinMs: 15_000,
    stableForMs: 1_000,
  },
  mttrTargetMs: 30_000,
});
