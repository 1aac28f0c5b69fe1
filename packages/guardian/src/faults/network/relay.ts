import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type Clock, parseOrThrow, type Random, systemClock, systemRandom } from '@buddy/core';
import { z } from 'zod';
import { LoopbackHost } from '../loopback.ts';

/** What a relay does to the connections that go through it; one at a time. */
export const Impairment = z.discriminatedUnion('is', [
  /** Each chunk comes `delayMs` later, plus up to `jitterMs`; the order stays. */
  z.strictObject({
    is: z.literal('latency'),
    delayMs: z.number().nonnegative().max(60_000),
    jitterMs: z.number().nonnegative().max(60_000).default(0),
  }),
  /** Each direction carries so many bytes in a second. */
  z.strictObject({ is: z.literal('rate'), bytesPerSecond: z.number().min(1).max(10_000_000) }),
  /** This share of the chunks is dropped: what arrives has holes. */
  z.strictObject({ is: z.literal('chunk_loss'), share: z.number().min(0.02).max(1) }),
  /** Connections are reset after so many bytes from the other side; 0: at once. */
  z.strictObject({
    is: z.literal('reset'),
    afterBytes: z.int().nonnegative().max(1_048_576).default(0),
  }),
  /** The other side is cut off, and nobody tells the caller. */
  z.strictObject({ is: z.literal('half_open') }),
  /** Connections are accepted and stay, and nothing goes through: a black hole above layer 4. */
  z.strictObject({ is: z.literal('stall') }),
]);
export type ImpairmentInput = z.input<typeof Impairment>;
export type Impairment = z.output<typeof Impairment>;

export const RelayOptions = z.strictObject({
  target: z.strictObject({ host: LoopbackHost, port: z.int().min(1).max(65_535) }),
  /** Where to listen, on 127.0.0.1. Default: any free port. */
  port: z.int().min(0).max(65_535).default(0),
});
export type RelayInput = z.input<typeof RelayOptions>;

/** A way to a server on this machine that can be made bad. */
export interface Relay {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** What it does now; undefined: it only passes on. */
  readonly impairment: Impairment | undefined;
  /**
   * Sends so many bytes through what the relay does, to an echo of its own and back: what a caller would see. `silent` when
   * they were not all back within `withinMs`.
   */
  ping(ask: { bytes: number; withinMs: number }, signal: AbortSignal): Promise<RelayPing>;
  /** Also holds for the connections that are open. Undefined makes it well again; what it had held back then goes on. */
  impair(impairment: ImpairmentInput | undefined): void;
  close(): Promise<void>;
}

export type RelayPing = { is: 'answered'; tookMs: number } | { is: 'reset' } | { is: 'silent' };

/** So much is held back in one direction before its sender is made to wait, in bytes. */
const MOST_HELD = 256 * 1_024;

/**
 * Opens a TCP relay to a server on this machine. Put it where the server was, and its way can be made slow, lossy or dead.
 * @throws {InvalidInputError} When the target is not on this machine.
 * @example
 * const relay = await openRelay({ target: { host: '127.0.0.1', port: 5432 } });
 * relay.impair({ is: 'latency', delayMs: 200 });
 */
export async function openRelay(
  input: RelayInput,
  { clock = systemClock, random = systemRandom }: { clock?: Clock; random?: Random } = {},
): Promise<Relay> {
  const { target, port } = parseOrThrow(RelayOptions, input, 'a relay');
  const pairs = new Set<Pair>();
  let impairment: Impairment | undefined;
  const relayTo = (end: { host: string; port: number }): Server =>
    createServer((client) => {
      const pair = new Pair(client, connect(end), { clock, random });
      pairs.add(pair);
      void pair.closed.then(() => pairs.delete(pair));
      pair.impair(impairment);
    });
  const server = relayTo(target);
  const echo = createServer((socket) => socket.on('error', () => socket.destroy()).pipe(socket));
  const own = { host: '127.0.0.1', port: await listen(server, port) } as const;
  const echoPort = await listen(echo, 0);
  const door = relayTo({ host: '127.0.0.1', port: echoPort });
  const doorPort = await listen(door, 0);
  return {
    ...own,
    ping: (ask, signal) => pingThrough(doorPort, { ...ask, clock, signal }),
    get impairment() {
      return impairment;
    },
    impair: (wanted) => {
      impairment = wanted && parseOrThrow(Impairment, wanted, 'an impairment');
      for (const pair of pairs) pair.impair(impairment);
    },
    close: async () => {
      const servers = [server, door, echo];
      const closed = Promise.all(servers.map((each) => once(each, 'close')));
      for (const each of servers) each.close();
      for (const pair of pairs) pair.destroy();
      await closed;
    },
  };
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server that listens has one
  return (server.address() as AddressInfo).port;
}

interface PingRequest {
  bytes: number;
  withinMs: number;
  clock: Clock;
  signal: AbortSignal;
}

async function pingThrough(
  port: number,
  { bytes, withinMs, clock, signal }: PingRequest,
): Promise<RelayPing> {
  const startedAt = clock.monotonic();
  const over = new AbortController();
  const socket = connect({ host: '127.0.0.1', port });
  let back = 0;
  const seen = new Promise<RelayPing>((resolve) => {
    socket.on('error', () => resolve({ is: 'reset' }));
    socket.on('close', () => resolve({ is: 'reset' }));
    socket.on('data', (chunk: Buffer) => {
      back += chunk.length;
      if (back >= bytes) resolve({ is: 'answered', tookMs: clock.monotonic() - startedAt });
    });
  });
  socket.write(Buffer.alloc(bytes, 1));
  const silence = clock
    .sleep(withinMs, AbortSignal.any([signal, over.signal]))
    .then((): RelayPing => ({ is: 'silent' }));
  silence.catch(() => undefined); // it was not silent
  try {
    return await Promise.race([seen, silence]);
  } finally {
    over.abort('over');
    socket.destroy();
  }
}

interface RelayPorts {
  clock: Clock;
  random: Random;
}

/** A caller's connection and the one that was made for it. */
class Pair {
  readonly closed: Promise<void>;
  readonly #client: Socket;
  readonly #upstream: Socket;
  readonly #gate = new Gate();
  readonly #over = new AbortController();

  constructor(client: Socket, upstream: Socket, ports: RelayPorts) {
    this.#client = client;
    this.#upstream = upstream;
    const over = Promise.withResolvers<void>();
    this.closed = over.promise;
    const { signal } = this.#over;
    const toServer = new Direction(client, upstream, { ...ports, gate: this.#gate, signal });
    const toClient = new Direction(upstream, client, { ...ports, gate: this.#gate, signal });
    toClient.onCarried = (bytes) => {
      const now = this.#gate.impairment;
      if (now?.is === 'reset' && bytes >= now.afterBytes) this.#reset();
    };
    client.on('error', () => this.destroy());
    client.on('close', () => {
      this.destroy();
      over.resolve();
    });
    upstream.on('error', () => {
      // Who is refused, or cut off, by the server is so by the relay.
      if (this.#gate.impairment?.is !== 'half_open') this.#reset();
    });
    toServer.begin();
    toClient.begin();
  }

  impair(impairment: Impairment | undefined): void {
    this.#gate.set(impairment);
    if (impairment?.is === 'reset' && impairment.afterBytes === 0) this.#reset();
    if (impairment?.is === 'half_open') this.#upstream.destroy();
  }

  #reset(): void {
    this.#client.resetAndDestroy();
    this.destroy();
  }

  destroy(): void {
    this.#over.abort('closed');
    this.#client.destroy();
    this.#upstream.destroy();
  }
}

/** What holds now, and a way to wait until it does not hold any more. */
class Gate {
  impairment: Impairment | undefined;
  #changed = Promise.withResolvers<void>();

  set(impairment: Impairment | undefined): void {
    this.impairment = impairment;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }

  async pass(signal: AbortSignal): Promise<void> {
    const over = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => over.resolve(), { once: true });
    while (this.#isShut() && !signal.aborted) {
      await Promise.race([this.#changed.promise, over.promise]);
    }
  }

  #isShut(): boolean {
    return this.impairment?.is === 'stall' || this.impairment?.is === 'half_open';
  }
}

interface DirectionPorts extends RelayPorts {
  gate: Gate;
  signal: AbortSignal;
}

/** Carries what one side says to the other: in order, and its end after all that was said before. */
class Direction {
  onCarried: (bytes: number) => void = () => undefined;
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #ports: DirectionPorts;
  #line: Promise<void> = Promise.resolve();
  #dueAt = 0;
  #held = 0;
  #carried = 0;

  constructor(from: Socket, to: Socket, ports: DirectionPorts) {
    this.#from = from;
    this.#to = to;
    this.#ports = ports;
  }

  begin(): void {
    this.#from.on('data', (chunk: Buffer) => {
      const dueAt = this.#dueFor(chunk.length);
      this.#held += chunk.length;
      if (this.#held > MOST_HELD) this.#from.pause();
      this.#after(dueAt, () => this.#carry(chunk));
    });
    this.#from.on('end', () => this.#after(this.#dueAt, () => void this.#to.end()));
    this.#from.on('close', () => {
      // The end was not said: it was cut. Half-open means that nobody is told.
      if (this.#from.readableEnded || this.#ports.gate.impairment?.is === 'half_open') return;
      this.#after(this.#dueAt, () => void this.#to.destroy());
    });
  }

  /** When a chunk that comes now is to be there; never before the one that came before it. */
  #dueFor(bytes: number): number {
    const { clock, random, gate } = this.#ports;
    const now = clock.monotonic();
    const { impairment } = gate;
    if (impairment?.is === 'latency') {
      const late = impairment.delayMs + impairment.jitterMs * random();
      this.#dueAt = Math.max(this.#dueAt, now + late);
    } else if (impairment?.is === 'rate') {
      this.#dueAt = Math.max(this.#dueAt, now) + (bytes / impairment.bytesPerSecond) * 1_000;
    }
    return this.#dueAt;
  }

  #after(dueAt: number, act: () => void): void {
    const { clock, gate, signal } = this.#ports;
    const before = this.#line;
    const turn = async (): Promise<void> => {
      await before;
      const waitMs = dueAt - clock.monotonic();
      // Aborted: the connection is gone, and so is what was on its way.
      if (waitMs > 0) await clock.sleep(waitMs, signal).catch(() => undefined);
      await gate.pass(signal);
      if (!signal.aborted) act();
    };
    this.#line = turn();
  }

  #carry(chunk: Buffer): void {
    const { gate, random } = this.#ports;
    this.#held -= chunk.length;
    if (this.#held <= MOST_HELD) this.#from.resume();
    const isLost = gate.impairment?.is === 'chunk_loss' && random() < gate.impairment.share;
    if (isLost || !this.#to.writable) return;
    this.#to.write(chunk);
    this.#carried += chunk.length;
    this.onCarried(this.#carried);
  }
}
