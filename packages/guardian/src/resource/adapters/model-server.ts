import type { Reading } from '../reading.ts';
import type { Probed } from './probed.ts';

/** How much is asked of a model server at once. */
export interface ModelLimits {
  /** Requests under way at once. */
  parallel: number;
  /** Tokens of context. */
  contextTokens: number;
}

/** A server of language models with Ollama's API. */
export interface ModelServerAdapter extends Probed {
  readonly kind: 'model_server';
  /** Whether the server answers at all. */
  answers(signal: AbortSignal): Promise<Reading>;
  /** The models that should be in memory. */
  models(): readonly string[];
  /** The models that are. */
  loaded(signal: AbortSignal): Promise<readonly string[]>;
  /** One token, really generated: a server may list a model and be stuck. */
  generateOneToken(signal: AbortSignal): Promise<Reading>;
  route(): string;
  /** Where requests can be sent, the server itself first. */
  routes(): readonly string[];
  limits(): ModelLimits;
  setLimits(limits: ModelLimits, signal: AbortSignal): Promise<void>;
  /** Starts it, unless it answers, and ends before what is left of one that was killed. Resolves when it answers. */
  start(signal: AbortSignal): Promise<void>;
  stop(signal: AbortSignal): Promise<void>;
  /** Ends what computes, with all that waits for it; the server stays. */
  stopRunner(signal: AbortSignal): Promise<void>;
  preload(model: string, signal: AbortSignal): Promise<void>;
  unload(model: string, signal: AbortSignal): Promise<void>;
  routeTo(route: string, signal: AbortSignal): Promise<void>;
}
