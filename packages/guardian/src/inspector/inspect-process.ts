import { type Clock, parseOrThrow } from '@buddy/core';
import { z } from 'zod';
import { listeningPorts } from '../adapters/process/proc.ts';
import { GuardianMisuseError } from '../errors.ts';

/** A debugger's line to a process. It is answered on a thread of its own, also while the event loop stands still. */
export interface Inspector extends AsyncDisposable {
  call(method: string, params?: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** Resolves with the next event of this name. */
  next(event: string): Promise<unknown>;
}

export interface InspectOptions {
  pid: number;
  clock: Clock;
  signal: AbortSignal;
}

const POLL_MS = 10;
const Targets = z.array(z.object({ webSocketDebuggerUrl: z.string() })).min(1);
const Message = z.object({
  id: z.int().optional(),
  method: z.string().optional(),
  result: z.unknown(),
  params: z.unknown(),
  error: z.object({ message: z.string() }).optional(),
});

/**
 * Opens the inspector of a process that runs on Node, by SIGUSR1: **a process that is none of Node's is ended by that**. It
 * listens on loopback from then on, at 9229 unless its `--inspect-port` says otherwise (0: at a free port).
 * @throws {GuardianMisuseError} When it cannot be reached as long as nobody aborts: it ended, it is not Node's, its port is taken.
 */
export async function inspectProcess({ pid, clock, signal }: InspectOptions): Promise<Inspector> {
  const before = new Set(await listeningPorts(pid));
  process.kill(pid, 'SIGUSR1');
  const url = await findDebugger({ pid, clock, signal }, before);
  return openInspector(url, signal);
}

/** Its port is one of those at which the process listens; the new ones are asked first. */
async function findDebugger(
  { pid, clock, signal }: InspectOptions,
  before: ReadonlySet<number>,
): Promise<string> {
  for (;;) {
    if (signal.aborted) {
      throw new GuardianMisuseError(`No inspector of process ${pid} could be reached.`, {
        cause: signal.reason,
      });
    }
    const ports = await listeningPorts(pid);
    for (const port of ports.toSorted((a, b) => Number(before.has(a)) - Number(before.has(b)))) {
      const url = await debuggerAt(port, signal);
      if (url !== undefined) return url;
    }
    await clock.sleep(POLL_MS);
  }
}

const ASK_MS = 200;

async function debuggerAt(port: number, signal: AbortSignal): Promise<string | undefined> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(ASK_MS)]);
  try {
    const response = await fetch(`http://127.0.0.1:${port}/json/list`, {
      signal: limit,
      headers: { connection: 'close' }, // a process without descriptors has none to keep for us
    });
    const [target] = parseOrThrow(Targets, await response.json(), 'a list of debuggers');
    return target?.webSocketDebuggerUrl;
  } catch {
    return undefined; // another of its ports
  }
}

async function openInspector(url: string, signal: AbortSignal): Promise<Inspector> {
  const socket = new WebSocket(url);
  const answers = new Map<number, PromiseWithResolvers<unknown>>();
  const events = new Map<string, PromiseWithResolvers<unknown>>();
  const opened = Promise.withResolvers<void>();
  const end = (why: string) => {
    const error = new GuardianMisuseError(`The inspector at ${url} ${why}.`);
    opened.reject(error);
    for (const waiting of [...answers.values(), ...events.values()]) waiting.reject(error);
    answers.clear();
    events.clear();
    socket.close();
  };
  const abort = () => end('was given up');
  signal.addEventListener('abort', abort, { once: true });
  socket.addEventListener('open', () => opened.resolve());
  socket.addEventListener('error', () => end('cannot be reached'));
  socket.addEventListener('close', () => end('hung up'));
  socket.addEventListener('message', ({ data }) => {
    const message = parseOrThrow(Message, JSON.parse(String(data)), 'a message of the inspector');
    const { id, method = '', result, params, error } = message;
    if (id === undefined) {
      events.get(method)?.resolve(params);
      events.delete(method);
      return;
    }
    if (error) answers.get(id)?.reject(new GuardianMisuseError(`Inspector: ${error.message}`));
    else answers.get(id)?.resolve(result);
    answers.delete(id);
  });
  await opened.promise;
  let lastId = 0;
  return {
    call: (method, params = {}) => {
      lastId += 1;
      const answer = Promise.withResolvers<unknown>();
      answers.set(lastId, answer);
      socket.send(JSON.stringify({ id: lastId, method, params }));
      return answer.promise;
    },
    next: (event) => {
      const waiting = events.get(event) ?? Promise.withResolvers<unknown>();
      waiting.promise.catch(() => undefined); // whoever waits is told; who does not any more need not be
      events.set(event, waiting);
      return waiting.promise;
    },
    [Symbol.asyncDispose]: async () => {
      signal.removeEventListener('abort', abort);
      socket.close();
    },
  };
}
