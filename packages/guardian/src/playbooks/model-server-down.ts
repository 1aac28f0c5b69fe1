import { definePlaybook } from '../playbook/define-playbook.ts';
import { on } from '../playbook/trigger.ts';
import { checkModelsLoaded, checkOneToken } from './model-checks.ts';

/** A model server is gone: others answer meanwhile, it is started, and its models are loaded before it is asked again. */
export const modelServerDown = definePlaybook({
  id: 'model_server_down',
  name: 'Model server down',
  description:
    'Sends requests to the fallback, starts the server, loads its models, and sends requests to it again.',
  category: 'ai',
  tier: 3,
  priority: 8,
  needs: { model: 'model_server' },
  triggers: [on(['model_server.down', 'model_server.unloaded'])],
  contraindicatedBy: ['quota_exhausted', 'disk_full', 'config_invalid'],
  diagnose: async ({ resources: { model }, signal }) => {
    const isUp = (await model.answers(signal)).status === 'HEALTHY';
    const loaded = isUp ? await model.loaded(signal) : [];
    const [home = model.route(), fallback] = model.routes();
    return {
      isUp,
      home,
      fallback: fallback ?? null,
      missing: model.models().filter((name) => !loaded.includes(name)),
    };
  },
  steps: (step) => [
    step({
      id: 'use_fallback',
      description: 'Sends requests to the fallback.',
      tier: 2,
      timeoutMs: 2_000,
      effects: ['model.routeTo'],
      when: ({ diagnosis }) => diagnosis.fallback !== null,
      before: async ({ resources }) => ({ route: resources.model.route() }),
      run: async ({ resources, diagnosis, signal }) => {
        if (diagnosis.fallback !== null) await resources.model.routeTo(diagnosis.fallback, signal);
      },
      undo: {
        description: 'Sends requests where they went before.',
        effects: ['model.routeTo'],
        run: ({ resources, before, signal }) => resources.model.routeTo(before.route, signal),
      },
    }),
    step({
      id: 'start',
      description: 'Starts the server.',
      tier: 3,
      timeoutMs: 15_000,
      effects: ['model.start'],
      when: ({ diagnosis }) => !diagnosis.isUp,
      run: ({ resources, signal }) => resources.model.start(signal),
      undo: {
        description: 'Stops what was started.',
        effects: ['model.stop'],
        run: ({ resources, signal }) => resources.model.stop(signal),
      },
    }),
    step({
      id: 'preload',
      description: 'Loads the models that should be in memory.',
      tier: 2,
      timeoutMs: 15_000,
      effects: ['model.preload'],
      before: async ({ diagnosis }) => ({ missing: diagnosis.missing }),
      run: async ({ resources, before, signal }) => {
        for (const name of before.missing) await resources.model.preload(name, signal);
      },
      undo: {
        description: 'Unloads them.',
        effects: ['model.unload'],
        run: async ({ resources, before, signal }) => {
          for (const name of before.missing) await resources.model.unload(name, signal);
        },
      },
    }),
    step({
      id: 'route_home',
      description: 'Sends requests to the server again.',
      tier: 2,
      timeoutMs: 2_000,
      effects: ['model.routeTo'],
      when: ({ diagnosis }) => diagnosis.fallback !== null,
      before: async ({ resources }) => ({ route: resources.model.route() }),
      run: ({ resources, diagnosis, signal }) => resources.model.routeTo(diagnosis.home, signal),
      undo: {
        description: 'Sends requests where they went meanwhile.',
        effects: ['model.routeTo'],
        run: ({ resources, before, signal }) => resources.model.routeTo(before.route, signal),
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
        run: ({ resources, signal }) => checkOneToken(resources.model, signal),
      },
    ],
    intervalMs: 50,
    withinMs: 15_000,
  },
  mttrTargetMs: 20_000,
});
