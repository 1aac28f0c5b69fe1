import { parseOrThrow } from '@buddy/core';
import { z } from 'zod';

const Running = z.object({ models: z.array(z.object({ name: z.string() })).nullable() });
const Generated = z.object({ done: z.boolean(), response: z.string().default('') });

/** What a server that answers says went wrong. */
export class OllamaRefusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'OllamaRefusal';
    this.status = status;
  }
}

/** The part of Ollama's HTTP API (github.com/ollama/ollama, docs/api.md) that looking after a server takes. */
export function ollamaApi(url: string) {
  const call = async (path: string, body: unknown, signal: AbortSignal): Promise<unknown> => {
    const response = await fetch(new URL(path, url), {
      signal,
      ...(body !== undefined && {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    });
    const text = await response.text();
    if (!response.ok) {
      throw new OllamaRefusal(
        response.status,
        `${url} said ${response.status}: ${text.slice(0, 500)}`,
      );
    }
    return JSON.parse(text);
  };
  return {
    version: (signal: AbortSignal) => call('/api/version', undefined, signal),
    /** Names of the models in memory. */
    running: async (signal: AbortSignal): Promise<string[]> => {
      const answer = await call('/api/ps', undefined, signal);
      const { models } = parseOrThrow(Running, answer, `answer of ${url}/api/ps`);
      return (models ?? []).map(({ name }) => name);
    },
    /** Generates one token, and no more; resolves to whether the server says that it is done. */
    oneToken: async (
      {
        model,
        keepAlive,
        contextTokens,
      }: { model: string; keepAlive: string; contextTokens: number },
      signal: AbortSignal,
    ): Promise<boolean> => {
      const body = {
        model,
        prompt: 'ok',
        stream: false,
        keep_alive: keepAlive,
        // The context is that of other requests: with another one the server would load the model anew.
        options: { num_predict: 1, num_ctx: contextTokens },
      };
      const answer = await call('/api/generate', body, signal);
      return parseOrThrow(Generated, answer, `answer of ${url}/api/generate`).done;
    },
    /** A request without a prompt only loads the model; one that keeps it for no time unloads it. */
    keep: async (
      model: string,
      keepAlive: string | 0,
      contextTokens: number,
      signal: AbortSignal,
    ) => {
      const options = keepAlive === 0 ? undefined : { num_ctx: contextTokens };
      await call('/api/generate', { model, keep_alive: keepAlive, stream: false, options }, signal);
    },
  };
}

/** `llama3` and `llama3:latest` are one model. */
export function fullName(model: string): string {
  return model.includes(':') ? model : `${model}:latest`;
}
