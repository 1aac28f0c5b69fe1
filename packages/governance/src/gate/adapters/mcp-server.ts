import { BuddyError } from '@buddy/core';
import { NotGovernableError } from '../../errors.ts';
import {
  callThroughGate,
  type ForeignTool,
  type GovernOptions,
  signalIn,
} from '../foreign-call.ts';
import type { Gate } from '../gate.ts';

type Handler = (...given: unknown[]) => unknown;

interface ToolChanges {
  name?: unknown;
  callback?: unknown;
}

interface RegisteredTool {
  description?: unknown;
  inputSchema?: unknown;
  handler: Handler;
  update(changes: ToolChanges): void;
}

/** An `McpServer` of either SDK, as far as it matters here. */
export interface McpServer {
  registerTool: (...given: never[]) => unknown;
  server: object;
}

export function isMcpServer(value: unknown): value is McpServer {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof Reflect.get(value, 'registerTool') === 'function' &&
    typeof Reflect.get(value, 'server') === 'object'
  );
}

/** The handlers that stand behind a gate, and what puts them there. */
export interface GovernedHandlers {
  add(handler: object): void;
  has(handler: object): boolean;
}

/**
 * The same server, changed in place: the tools it has, those registered later, and those changed later go through the gate.
 * @throws {NotGovernableError} When its tools cannot be found: a version of the SDK that this package does not know.
 */
export function governMcpServer<T extends McpServer>(
  gate: Gate,
  server: T,
  options: GovernOptions,
  ours: GovernedHandlers,
): T {
  const tools = toolsOf(server);
  const register: unknown = Reflect.get(server, REGISTER);
  if (typeof register !== 'function') throw unknownVersion();
  const govern = (name: string, tool: RegisteredTool): void =>
    governRegistered(gate, name, tool, options, ours);
  for (const [name, tool] of Object.entries(registeredTools(server))) govern(name, tool);
  // What all ways of registering use, `tool`, `registerTool` and the experimental ones.
  const registerGoverned = (...given: unknown[]): unknown => {
    const tool: unknown = Reflect.apply(register, server, given);
    const name = String(given[0]);
    try {
      govern(name, checkRegistered(name, tool));
    } catch (error) {
      Reflect.deleteProperty(tools, name); // else it could be called all the same
      throw error;
    }
    return tool;
  };
  ours.add(registerGoverned);
  Reflect.defineProperty(server, REGISTER, { value: registerGoverned, configurable: true });
  return server;
}

/** What handles the calls of each tool. */
export function handlersOf(server: McpServer): Record<string, object> {
  return Object.fromEntries(
    Object.entries(toolsOf(server)).map(([name, tool]) => {
      const handler: unknown = Reflect.get(Object(tool), 'handler');
      return [name, Object(handler)];
    }),
  );
}

/** By which all tools come that it does not have yet. */
export function registrarOf(server: McpServer): object {
  return Object(Reflect.get(server, REGISTER));
}

function governRegistered(
  gate: Gate,
  name: string,
  tool: RegisteredTool,
  options: GovernOptions,
  ours: GovernedHandlers,
): void {
  if (ours.has(tool.handler)) return;
  let currentName = name;
  const update = tool.update.bind(tool);
  const guard = (handler: Handler): Handler => {
    const guarded = gatedHandler(gate, () => currentName, tool, handler, options);
    ours.add(guarded);
    return guarded;
  };
  tool.update = (changes) => {
    const { name: nextName, callback } = changes;
    const isNew = isHandler(callback) && !ours.has(callback);
    update(isNew ? { ...changes, callback: guard(callback) } : changes);
    if (typeof nextName === 'string') currentName = nextName;
  };
  tool.update({ callback: tool.handler });
}

/** Name, description and schema are read with each call, for all of them may be changed. */
function gatedHandler(
  gate: Gate,
  nameOf: () => string,
  tool: RegisteredTool,
  handler: Handler,
  options: GovernOptions,
): Handler {
  return async (...given) => {
    const { description, inputSchema } = tool;
    const foreign: ForeignTool = { name: nameOf(), description, schema: inputSchema };
    // A tool without a schema is called with the context alone.
    const [input, ...rest] = inputSchema === undefined ? [{}, ...given] : given;
    // The server has held the arguments against the schema: what does not fit never comes here.
    const call = { input, context: rest[0], signal: signalOf(rest[0]) };
    try {
      return await callThroughGate(gate, foreign, options, call, async (snapshot) => {
        const handed = inputSchema === undefined ? rest : [snapshot, ...rest];
        const result: unknown = await Reflect.apply(handler, undefined, handed);
        if (isErrorResult(result)) throw new McpErrorResult(result);
        return result;
      });
    } catch (error) {
      if (error instanceof McpErrorResult) return error.result;
      throw error;
    }
  };
}

/** It is in the context itself in the SDK up to 1.x, and in the request's part of it from 2.0. */
function signalOf(context: unknown): AbortSignal | undefined {
  return signalIn(context, 'signal') ?? signalIn(Reflect.get(Object(context), 'mcpReq'), 'signal');
}

/** What a tool answered that failed without throwing; for the log, on its way to the client. */
class McpErrorResult extends BuddyError {
  readonly code = 'GOVERNANCE_MCP_ERROR_RESULT';
  readonly result: object;

  constructor(result: object) {
    super('The tool answered that it failed.', { effect: 'unknown' });
    this.result = result;
  }
}

function isHandler(value: unknown): value is Handler {
  return typeof value === 'function';
}

function isErrorResult(result: unknown): result is object {
  return typeof result === 'object' && result !== null && Reflect.get(result, 'isError') === true;
}

/*
 * Of no public way to the tools of a server, in either SDK. Without these two, `governMcpServer` refuses.
 */
const REGISTER = '_createRegisteredTool';
const TOOLS = '_registeredTools';

function toolsOf(server: McpServer): object {
  const tools: unknown = Reflect.get(server, TOOLS);
  if (typeof tools !== 'object' || tools === null) throw unknownVersion();
  return tools;
}

function registeredTools(server: McpServer): Record<string, RegisteredTool> {
  return Object.fromEntries(
    Object.entries(toolsOf(server)).map(([name, tool]) => [name, checkRegistered(name, tool)]),
  );
}

function checkRegistered(name: string, tool: unknown): RegisteredTool {
  if (isRegisteredTool(tool)) return tool;
  const handler: unknown = Reflect.get(Object(tool), 'handler');
  if (typeof handler !== 'object' || handler === null) throw unknownVersion();
  throw new NotGovernableError(
    `${name} is a task of MCP (experimental), of which no gate sees when it acts; govern what its handler calls, and register it on a server of its own.`,
  );
}

function isRegisteredTool(value: unknown): value is RegisteredTool {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof Reflect.get(value, 'handler') === 'function' &&
    typeof Reflect.get(value, 'update') === 'function'
  );
}

function unknownVersion(): NotGovernableError {
  return new NotGovernableError(
    'The tools of this MCP server cannot be found, for its SDK is of a version that is not known here; govern the functions that handle its tools.',
  );
}
