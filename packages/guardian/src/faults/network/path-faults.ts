import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { z } from 'zod';
import { defineFault } from '../define-fault.ts';
import { AVAILABLE } from '../host.ts';
import { LoopbackHost } from '../loopback.ts';
import { Impairment, type Relay } from './relay.ts';

/** So long nobody answers who is silent, in ms. */
const SILENCE_MS = 250;

/** What lived in a process is gone with it. */
const Nothing = z.strictObject({});

/**
 * A relay does something to what goes through it: latency, jitter, a rate, lost chunks, resets, half-open connections, or nothing
 * at all goes through.
 * @example
 * const way = await openRelay({ target: { host: '127.0.0.1', port } });
 * await using fault = await kit.inject(relay, { relay: way, impairment: { is: 'latency', delayMs: 200 } });
 */
export const relay = defineFault({
  kind: 'relay',
  description: 'The way to a server is slow, narrow, lossy, cut or dead.',
  options: z.strictObject({
    relay: z.custom<Relay>((value) => isRelay(value), 'must be made by openRelay'),
    impairment: Impairment,
  }),
  note: Nothing,
  caps: { seconds: 600, bytes: 0 },
  capability: () => AVAILABLE,
  open: async ({ relay: way, impairment }) => ({
    note: {},
    isPresent: (signal) => shows(way, impairment, signal),
    apply: async () => way.impair(impairment),
    revert: async () => way.impair(undefined),
  }),
  recover: async () => undefined,
});

function isRelay(value: unknown): value is Relay {
  return typeof value === 'object' && value !== null && 'impair' in value && 'ping' in value;
}

/** Looked at from outside: by what comes back of what was sent. */
async function shows(way: Relay, wanted: Impairment, signal: AbortSignal): Promise<boolean> {
  switch (wanted.is) {
    case 'latency': {
      const { delayMs, jitterMs } = wanted;
      const withinMs = 2 * (delayMs + jitterMs) + 2_000;
      const pong = await way.ping({ bytes: 1, withinMs }, signal);
      // There and back; nine tenths, for timers are early by a fraction.
      return pong.is === 'answered' && pong.tookMs >= 2 * delayMs * 0.9 + jitterMs * 0.01;
    }
    case 'rate': {
      const bytes = Math.max(2, Math.ceil(wanted.bytesPerSecond / 10));
      const eachWayMs = (bytes / wanted.bytesPerSecond) * 1_000;
      const pong = await way.ping({ bytes, withinMs: 4 * eachWayMs + 2_000 }, signal);
      return pong.is === 'answered' && pong.tookMs >= eachWayMs * 0.9;
    }
    case 'chunk_loss':
      return losesSome(way, signal);
    case 'reset': {
      const ask = { bytes: wanted.afterBytes + 1, withinMs: 2_000 };
      return (await way.ping(ask, signal)).is === 'reset';
    }
    case 'half_open':
    case 'stall':
      return (await way.ping({ bytes: 1, withinMs: SILENCE_MS }, signal)).is === 'silent';
  }
}

const MOST_PINGS = 100;

async function losesSome(way: Relay, signal: AbortSignal): Promise<boolean> {
  for (let pings = 0; pings < MOST_PINGS; pings += 1) {
    const { is } = await way.ping({ bytes: 1, withinMs: SILENCE_MS }, signal);
    if (is === 'silent') return true;
  }
  return false;
}

/**
 * At a port where nobody listened, somebody accepts every connection and never says a word.
 * @example
 * await using hole = await kit.inject(tcpBlackhole, { port: 8443 });
 */
export const tcpBlackhole = defineFault({
  kind: 'tcpBlackhole',
  description: 'A port accepts every connection and never answers.',
  options: z.strictObject({
    host: LoopbackHost.default('127.0.0.1'),
    /** 0: any free port; `handle.port` says which. */
    port: z.int().min(0).max(65_535).default(0),
  }),
  note: Nothing,
  caps: { seconds: 600, bytes: 0 },
  capability: () => AVAILABLE,
  open: async ({ host, port }) => {
    const hole = new Blackhole(host, port);
    return {
      note: {},
      handle: hole,
      isPresent: (signal) => swallows(host, hole.port, signal),
      apply: () => hole.open(),
      revert: () => hole.close(),
    };
  },
  recover: async () => undefined,
});

/** Accepts, and holds what it accepted. */
class Blackhole {
  readonly host: string;
  #port: number;
  #server: Server | undefined;
  readonly #held = new Set<Socket>();

  constructor(host: string, port: number) {
    this.host = host;
    this.#port = port;
  }

  /** 0 until it is open, where any would do. */
  get port(): number {
    return this.#port;
  }

  async open(): Promise<void> {
    const server = createServer((socket) => {
      this.#held.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => this.#held.delete(socket));
      socket.resume(); // what is said is swallowed
    });
    server.listen(this.#port, this.host);
    await once(server, 'listening');
    this.#server = server;
    const address = server.address();
    if (typeof address === 'object' && address) this.#port = address.port;
  }

  async close(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.#held) socket.destroy();
    await closed;
  }
}

async function swallows(host: string, port: number, signal: AbortSignal): Promise<boolean> {
  if (port === 0) return false;
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect', { signal });
    socket.write('GET / HTTP/1.0\r\n\r\n');
    const answered = Promise.withResolvers<boolean>();
    socket.once('data', () => answered.resolve(true)).once('close', () => answered.resolve(true));
    const timer = setTimeout(() => answered.resolve(false), SILENCE_MS);
    const hasAnswered = await answered.promise;
    clearTimeout(timer);
    return !hasAnswered;
  } catch {
    signal.throwIfAborted();
    return false; // nobody accepts
  } finally {
    socket.destroy();
  }
}
