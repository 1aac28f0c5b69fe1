import type { PlaybookContext } from '../playbook/context.ts';
import { definePlaybook } from '../playbook/define-playbook.ts';
import { irreversible } from '../playbook/step.ts';
import { on } from '../playbook/trigger.ts';
import { checkModelsLoaded } from './model-checks.ts';

/** A model server answers and lists its model, but nothing comes out of it: what computes is replaced, then the whole. */
export const modelStuck = definePlaybook({
  id: 'model_stuck',
  name: 'Model server stuck',
  description:
    'Asks less of the server, ends what computes, the whole server when that is not enough, and loads its models anew.',
  category: 'ai',
  tier: 3,
  priority: 8,
  needs: { model: 'model_server' },
  triggers: [on('model_server.stuck')],
  contraindicatedBy: ['quota_exhausted', 'disk_full', 'config_invalid'],
  diagnose: async ({ resources: { model }, signal }) => ({
    limits: model.limits(),
    loaded: await model.loaded(signal).catch(() => [] as readonly string[]), // a stuck server may not even say
  }),
  steps: (step) => [
    step({
      id: 'ask_less',
      description: 'Halves how many requests are under way and how much context each has.',
      tier: 2,
      timeoutMs: 2_000,
      effects: ['model.setLimits'],
      before: async ({ diagnosis }) => ({ ...diagnosis.limits }),
      run: ({ resources, before, signal }) =>
        resources.model.setLimits(
          {
            parallel: Math.max(1, Math.floor(before.parallel / 2)),
            contextTokens: Math.max(512, Math.floor(before.contextTokens / 2)),
          },
          signal,
        ),
      undo: {
        description: 'Asks as much as before.',
        effects: ['model.setLimits'],
        run: ({ resources, before, signal }) => resources.model.setLimits(before, signal),
      },
    }),
    step({
      id: 'replace_runner',
      description:
        'Ends what computes, and all requests that wait for it; the server makes a new one.',
      tier: 3,
      timeoutMs: 5_000,
      effects: ['model.stopRunner'],
      run: ({ resources, signal }) => resources.model.stopRunner(signal),
      undo: irreversible('what hung is not made to hang again; the next request starts a new one'),
    }),
    step({
      id: 'replace_server',
      description: 'Replaces the whole server when still nothing comes out of it.',
      tier: 3,
      timeoutMs: 30_000,
      effects: ['model.preload', 'model.stop', 'model.start'],
      ifRefused: 'skip',
      run: async (context) => {
        if (await comesBack(context)) return;
        const { resources, signal } = context;
        await resources.model.stop(signal);
        await resources.model.start(signal);
      },
      undo: irreversible('a server that hung is not revived', {
        description: 'Starts the server, should it have been left stopped.',
        effects: ['model.start'],
        run: ({ resources, signal }) => resources.model.start(signal),
      }),
    }),
    step({
      id: 'preload',
      description: 'Loads its models.',
      tier: 2,
      timeoutMs: 15_000,
      effects: ['model.preload'],
      before: async ({ resources, diagnosis }) => ({
        added: resources.model.models().filter((name) => !diagnosis.loaded.includes(name)),
      }),
      run: async ({ resources: { model }, signal }) => {
        for (const name of model.models()) await model.preload(name, signal);
      },
      undo: {
        description: 'Unloads those that were not loaded before.',
        effects: ['model.unload'],
        run: async ({ resources, before, signal }) => {
          for (const name of before.added) await resources.model.unload(name, signal);
        },
      },
    }),
  ],
  verify: {
    checks: [
      {
        name: 'its models are in memory',
        run: ({ resources, signal }) => checkModelsLoaded(resources.model, signal),
      },
      {
        name: 'it generates a token',
        run: ({ resources, signal }) => resources.model.generateOneToken(signal),
      },
    ],
    intervalMs: 50,
    withinMs: 15_000,
  },
  mttrTargetMs: 30_000,
});

type Context = PlaybookContext<{ readonly model: 'model_server' }>;

/** A new runner has so long to load its models and say a token. */
const BACK_WITHIN_MS = 8_000;
const AGAIN_MS = 100;

/**
 * Whether a server with a new runner serves again. It is asked again while there is time: until it notices that the old
 * runner is gone, a server takes requests for that one. A server that does not even answer is not waited for.
 */
async function comesBack({ resources: { model }, clock, signal }: Context): Promise<boolean> {
  const over = new AbortController();
  const asking = (async () => {
    const own = AbortSignal.any([signal, over.signal]);
    while ((await model.answers(own)).status === 'HEALTHY') {
      if (await serves(model, own)) return true;
      await clock.sleep(AGAIN_MS, own);
    }
    return false;
  })();
  const isBack = await Promise.race([
    asking,
    clock.sleep(BACK_WITHIN_MS, over.signal).then(() => false),
  ]).finally(() => over.abort('over'));
  signal.throwIfAborted();
  return isBack;
}

async function serves(model: Context['resources']['model'], signal: AbortSignal): Promise<boolean> {
  try {
    for (const name of model.models()) await model.preload(name, signal);
  } catch {
    signal.throwIfAborted();
    return false; // it says that it cannot, for now
  }
  return (await model.generateOneToken(signal)).status === 'HEALTHY';
}
