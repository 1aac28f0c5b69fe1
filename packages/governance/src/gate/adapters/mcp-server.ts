import { NotGovernableError } from '../../errors.ts';
import { callThroughGate, type ForeignTool, type GovernOptions } from '../foreign-call.ts';
import type { Gate } from '../gate.ts';

type Handler = (...given: unknown[]) => unknown;

interface RegisteredTool {
  description?: unknown;
  inputSchema?: unknown;
  handler: Handler;
  update(changes: { callback: Handler }): void;
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

/**
 * The same server, changed in place: the tools it has, and those registered later, go through the gate.
 * @throws {NotGovernableError} When its tools cannot be found: a version of the SDK that this package does not know.
 */
export function governMcpServer<T extends McpServer>(
  gate: Gate,
  server: T,
  options: GovernOptions,
  ours: { add(handler: object): void; has(handler: object): boolean },
): T {
  const govern = (name: string, tool: RegisteredTool): void => {
    if (ours.has(tool.handler)) return; // one way of registering may use the other
    const callback = gatedHandler(gate, name, tool, options);
    ours.add(callback);
    tool.update({ callback });
  };
  for (const [name, tool] of Object.entries(registeredTools(server))) govern(name, tool);
  for (const method of ['registerTool', 'tool'] as const) {
    const register: unknown = Reflect.get(server, method);
    if (typeof register !== 'function') continue;
    const registerGoverned = (...given: unknown[]): unknown => {
      const tool: unknown = Reflect.apply(register, server, given);
      const [name] = given;
      if (typeof name !== 'string' || !isRegisteredTool(tool)) throw unknownVersion();
      govern(name, tool);
      return tool;
    };
    Reflect.defineProperty(server, method, { value: registerGoverned, configurable: true });
  }
  return server;
}

/** The tools of a server and whether a gate stands before each, by what handles their calls. */
export function handlersOf(server: McpServer): Record<string, object> {
  return Object.fromEntries(
    Object.entries(registeredTools(server)).map(([name, { handler }]) => [name, handler]),
  );
}

function gatedHandler(
  gate: Gate,
  name: string,
  { handler, description, inputSchema }: RegisteredTool,
  options: GovernOptions,
): Handler {
  const tool: ForeignTool = { name, framework: 'MCP', description, schema: inputSchema };
  // A tool without a schema is called with the context alone.
  if (inputSchema === undefined) {
    return (context) => callThroughGate(gate, tool, options, {}, async () => handler(context));
  }
  return (input, context) =>
    callThroughGate(gate, tool, options, input, async (snapshot) => handler(snapshot, context));
}

/** No public way lists them, in either SDK. */
function registeredTools(server: McpServer): Record<string, RegisteredTool> {
  const tools: unknown = Reflect.get(server, '_registeredTools');
  if (typeof tools !== 'object' || tools === null) throw unknownVersion();
  const known: Record<string, RegisteredTool> = {};
  for (const [name, tool] of Object.entries(tools)) {
    if (!isRegisteredTool(tool)) throw unknownVersion();
    known[name] = tool;
  }
  return known;
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
    'The tools of this MCP server cannot be found; govern each tool before it is registered, or use a known version of the SDK.',
  );
}
