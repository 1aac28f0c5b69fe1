import type { ModelServerAdapter } from '../resource/adapters/model-server.ts';
import type { Reading } from '../resource/reading.ts';

/** Layer 4 and a list are not enough: a server can list a model and be stuck. See `checkOneToken`. */
export async function checkModelsLoaded(
  model: ModelServerAdapter,
  signal: AbortSignal,
): Promise<Reading> {
  const loaded = await model.loaded(signal);
  const missing = model.models().filter((name) => !loaded.includes(name));
  if (missing.length === 0) return { status: 'HEALTHY' };
  const note = `not in memory: ${missing.join(', ')}`;
  return { status: 'FAILED', signal: 'model_server.unloaded', certainty: 'decisive', note };
}

export function checkOneToken(model: ModelServerAdapter, signal: AbortSignal): Promise<Reading> {
  return model.generateOneToken(signal);
}
