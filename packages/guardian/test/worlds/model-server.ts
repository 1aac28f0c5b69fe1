import { join } from 'node:path';
import {
  createOllamaServer,
  createProcessService,
  type OllamaServer,
  type OllamaServerInput,
  type ProcessIdentity,
  type ServiceAdapter,
} from '@buddy/guardian';
import { fakeOllama, type FaultKit } from '@buddy/guardian/faults';
import type { PlaybookWorld } from '../playbook-contract.ts';
import { freePort, openGround } from './ground.ts';

const { signal } = new AbortController();
const program = new URL('../children/fake-ollama.ts', import.meta.url).pathname;
export const MODEL = 'tiny:latest';

export interface ModelWorld extends PlaybookWorld {
  model: OllamaServer;
  service: ServiceAdapter;
  kit: FaultKit;
  target: () => Promise<{ url: string; identity: ProcessIdentity; model: string }>;
}

/** A model server in a process of its own, with a model loaded in another. */
export async function openModelWorld(
  breaks: 'down' | 'stuck' | 'unloaded',
  options: Partial<OllamaServerInput> = {},
  env: Readonly<Record<string, string>> = {},
): Promise<ModelWorld> {
  const ground = await openGround('model');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const service = createProcessService({
    id: 'ollama',
    command: process.execPath,
    args: [program],
    env: { PORT: String(port), MODELS: MODEL, ...env },
    stateFolder: join(ground.folder, 'state'),
    stopGraceMs: 100,
  });
  const model = createOllamaServer(
    {
      url,
      models: ['tiny'],
      fallbackUrl: 'http://127.0.0.1:9',
      tokenTimeoutMs: 250,
      freshMs: 0,
      ...options,
    },
    { service },
  );
  await model.start(signal);
  await model.preload(MODEL, signal);
  const target = async () => {
    const state = await service.state(signal);
    if (state.is !== 'running') throw new Error('the model server does not run');
    return { url, identity: state.identity, model: MODEL };
  };
  return {
    model,
    service,
    kit: ground.kit,
    target,
    resources: [{ id: 'models', adapter: model }],
    subject: 'models',
    fault:
      breaks === 'stuck'
        ? ground.kit.rehearsed(fakeOllama.stuck, async () => ({
            ...(await target()),
            silentMs: 150,
          }))
        : ground.kit.rehearsed(fakeOllama[breaks], target),
    symptom: async () => ({ signal: `model_server.${breaks}` }),
    state: async () => ({
      // Asked from outside: what is left of a killed server still runs.
      answers: (await model.answers(signal)).status === 'HEALTHY',
      route: model.route(),
      limits: model.limits(),
      loaded: await model.loaded(signal).catch(() => 'nobody says'),
    }),
    close: () => ground.close(() => service.stop(signal)),
  };
}
