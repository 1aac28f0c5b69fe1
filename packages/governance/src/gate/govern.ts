import { isGoverned, type Tool } from '@buddy/core';
import { NotGovernableError, UngovernedToolsError } from '../errors.ts';
import { governAiSdkTool, isAiSdkTool } from './adapters/ai-sdk.ts';
import { governTool } from './adapters/core-tool.ts';
import { governMcpServer, handlersOf, isMcpServer, registrarOf } from './adapters/mcp-server.ts';
import { governOpenAiAgentsTool, isOpenAiAgentsTool } from './adapters/openai-agents.ts';
import { governFunction, type PlainFunction } from './adapters/plain-function.ts';
import type { GovernOptions } from './foreign-call.ts';
import type { Gate } from './gate.ts';

/**
 * What `govern` gives back: what it was given. Only functions that did not, answer with a promise; also those in lists and
 * records, whatever else is in these.
 */
export type Governed<T> = T extends PlainFunction
  ? GovernedFunction<T>
  : T extends OneTool
    ? T
    : T extends object
      ? { [Key in keyof T]: Governed<T[Key]> }
      : T;

/** What is governed as a whole, and not part by part; as `shapeOf` tells it. */
type OneTool =
  | { name: string; tier: number; execute: PlainFunction }
  | { type: 'function'; name: string; invoke: PlainFunction }
  | { registerTool: PlainFunction; server: object }
  | { inputSchema: unknown };

type GovernedFunction<Run extends PlainFunction> = Run extends (
  ...given: infer Given
) => infer Result
  ? [Result] extends [PromiseLike<unknown> | AsyncGenerator]
    ? Run
    : (...given: Given) => Promise<Awaited<Result>>
  : never;

/** Puts the gate in front of whatever has tools, by its shape; the frameworks themselves are never imported. */
export class Governor {
  readonly #gate: Gate;
  /** The functions of ours that stand before those of the tools: each once, however often it is handed in. */
  readonly #ours = new WeakSet<object>();

  constructor(gate: Gate) {
    this.#gate = gate;
  }

  govern<T extends object>(given: T, options: GovernOptions = {}): Governed<T> {
    // Each adapter gives back the shape that it took, which TypeScript cannot follow through the search for it.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return this.#govern(given, undefined, options) as Governed<T>;
  }

  /** @throws {UngovernedToolsError} Naming every tool that no gate stands in front of. */
  assertCovered(given: object): void {
    const ungoverned = this.#ungoverned(given, undefined);
    if (ungoverned.length > 0) throw new UngovernedToolsError(ungoverned);
  }

  #govern(given: unknown, key: string | undefined, options: GovernOptions): unknown {
    const gate = this.#gate;
    if (this.#isOurs(given)) return given;
    switch (shapeOf(given)) {
      case 'core': {
        const governed = governTool(gate, asserted(isCoreTool, given));
        for (const name of ['execute', 'undo', 'reconcile'])
          this.#ours.add(Object(Reflect.get(governed, name)));
        return governed;
      }
      case 'function': {
        const name = options.name ?? key;
        const plain = asserted(isFunction, given);
        const governed = governFunction(gate, plain, {
          ...options,
          ...(name !== undefined && { name }),
        });
        this.#ours.add(governed);
        return governed;
      }
      case 'openai': {
        const governed = governOpenAiAgentsTool(gate, asserted(isOpenAiAgentsTool, given), options);
        this.#ours.add(governed.invoke);
        return governed;
      }
      case 'mcp':
        return governMcpServer(gate, asserted(isMcpServer, given), options, this.#ours);
      case 'ai-sdk': {
        if (key === undefined) {
          throw new NotGovernableError(
            'A tool of the AI SDK has its name from its tool set: govern({ name: tool }).',
          );
        }
        const governed = governAiSdkTool(gate, key, asserted(isAiSdkTool, given), options);
        if (governed.execute) this.#ours.add(governed.execute);
        return governed;
      }
      case 'list':
        return asserted(Array.isArray, given).map((item: unknown) =>
          this.#govern(item, undefined, options),
        );
      case 'record':
        return Object.fromEntries(
          Object.entries(Object(given)).map(([name, item]) => [
            name,
            this.#govern(item, name, options),
          ]),
        );
      case 'unknown':
        throw new NotGovernableError(
          `${nameOf(given, key) ?? 'What was given'} is no tool that can be governed: not a Tool of @buddy/core, ` +
            'an AI SDK tool set, a function tool of OpenAI Agents, an McpServer or a function.',
        );
    }
  }

  /**
   * Behind this gate already; a second time, every call would be written and counted twice. All that acts has to be: one
   * function of ours proves nothing of another.
   */
  #isOurs(given: unknown): boolean {
    const acting = actingOf(given);
    return acting.length > 0 && acting.every((run) => this.#ours.has(run));
  }

  #ungoverned(given: unknown, key: string | undefined): string[] {
    switch (shapeOf(given)) {
      case 'core': {
        const tool = asserted(isCoreTool, given);
        // Core's mark alone says nothing here: anybody can set it, and other gates do.
        const isCovered = isGoverned(tool) && this.#isOurs(tool) && !('invoke' in tool);
        return isCovered ? [] : [tool.name];
      }
      case 'function': {
        const plain = asserted(isFunction, given);
        return this.#ours.has(plain) ? [] : [key ?? (plain.name || 'a function without a name')];
      }
      case 'openai': {
        const { name } = asserted(isOpenAiAgentsTool, given);
        return this.#isOurs(given) ? [] : [name];
      }
      case 'mcp': {
        const server = asserted(isMcpServer, given);
        const tools = Object.entries(handlersOf(server)).flatMap(([name, handler]) =>
          this.#ours.has(handler) ? [] : [name],
        );
        // What it has no tools of yet, it may have later.
        const isGuarded = this.#ours.has(registrarOf(server));
        return tools.length > 0 || isGuarded ? tools : [key ?? 'an MCP server'];
      }
      case 'ai-sdk': {
        return this.#isOurs(given) ? [] : [key ?? 'a tool of the AI SDK'];
      }
      case 'list':
        return asserted(Array.isArray, given).flatMap((item: unknown, at) =>
          this.#ungoverned(item, `[${at}]`),
        );
      case 'record':
        return Object.entries(Object(given)).flatMap(([name, item]) =>
          this.#ungoverned(item, name),
        );
      case 'unknown':
        return [nameOf(given, key) ?? 'something that is no tool'];
    }
  }
}

type Shape = 'core' | 'function' | 'openai' | 'mcp' | 'ai-sdk' | 'list' | 'record' | 'unknown';

function shapeOf(given: unknown): Shape {
  if (isFunction(given)) return 'function';
  if (Array.isArray(given)) return 'list';
  if (isCoreTool(given)) return 'core';
  if (isOpenAiAgentsTool(given)) return 'openai';
  if (isMcpServer(given)) return 'mcp';
  if (isAiSdkTool(given)) return 'ai-sdk';
  return isRecordOfTools(given) ? 'record' : 'unknown';
}

/** The functions by which a tool is made to do something, whatever framework it is for: a thing may look like several. */
function actingOf(given: unknown): object[] {
  if (typeof given === 'function') return [given];
  if (typeof given !== 'object' || given === null) return [];
  return ['execute', 'invoke', 'undo', 'reconcile'].flatMap((name) => {
    const run: unknown = Reflect.get(given, name);
    return typeof run === 'function' ? [run] : [];
  });
}

function isFunction(value: unknown): value is PlainFunction {
  return typeof value === 'function';
}

function isCoreTool(value: unknown): value is Tool {
  if (typeof value !== 'object' || value === null) return false;
  const [name, tier, execute]: unknown[] = ['name', 'tier', 'execute'].map((key) =>
    Reflect.get(value, key),
  );
  return typeof name === 'string' && typeof tier === 'number' && typeof execute === 'function';
}

/** A tool of a shape that is not known has texts for name and kind; a record of tools has tools only. */
function isRecordOfTools(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  return Object.values(value).every(
    (item) => typeof item === 'function' || (typeof item === 'object' && item !== null),
  );
}

function nameOf(given: unknown, key: string | undefined): string | undefined {
  const own: unknown =
    typeof given === 'object' && given !== null ? Reflect.get(given, 'name') : undefined;
  return typeof own === 'string' ? own : key;
}

/** `shapeOf` has looked already; this says so to the compiler. */
function asserted<T>(is: (value: unknown) => value is T, value: unknown): T {
  if (is(value)) return value;
  throw new NotGovernableError('What is to be governed changed while it was looked at.');
}
