import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type Clock, parseOrThrow, systemClock } from '@buddy/core';
import { AUTHORITATIVE_ANSWER, decode, encode, type Packet, RECURSION_AVAILABLE } from 'dns-packet';
import { z } from 'zod';

/** How a name server fails. */
export const DnsMisbehaviour = z.discriminatedUnion('is', [
  /** Says nothing. */
  z.strictObject({ is: z.literal('timeout') }),
  /** Says that it cannot. */
  z.strictObject({ is: z.literal('servfail') }),
  /** Says that no name exists. */
  z.strictObject({ is: z.literal('nxdomain') }),
  /** Answers rightly, so much later. */
  z.strictObject({ is: z.literal('slow'), delayMs: z.number().positive().max(60_000) }),
  /** Answers every name, also one that nobody has, with this address. */
  z.strictObject({ is: z.literal('lie'), address: z.ipv4() }),
]);
export type DnsMisbehaviour = z.output<typeof DnsMisbehaviour>;

export const DnsServerOptions = z.strictObject({
  /** IPv4 addresses by name. Every other name does not exist. */
  records: z.record(z.string().min(1), z.array(z.ipv4()).min(1)),
  ttlSeconds: z.int().nonnegative().default(1),
});
export type DnsServerInput = z.input<typeof DnsServerOptions>;

/** A name server on this machine that can be made to fail. */
export interface DnsServer {
  /** `127.0.0.1:5353`, as `Resolver.setServers` wants it. */
  readonly address: string;
  /** Names that it knows. */
  readonly names: readonly string[];
  /** Questions that it was asked. */
  readonly asked: number;
  readonly misbehaviour: DnsMisbehaviour | undefined;
  misbehave(how: DnsMisbehaviour | undefined): void;
  close(): Promise<void>;
}

const SERVFAIL = 2;
const NXDOMAIN = 3;

/**
 * Opens a name server on a free UDP port of 127.0.0.1.
 * @throws {InvalidInputError} When the options are not usable.
 * @example
 * const server = await openDnsServer({ records: { 'billing.test': ['127.0.0.1'] } });
 * server.misbehave({ is: 'servfail' });
 */
export async function openDnsServer(
  input: DnsServerInput,
  { clock = systemClock }: { clock?: Clock } = {},
): Promise<DnsServer> {
  const { records, ttlSeconds } = parseOrThrow(DnsServerOptions, input, 'a name server');
  const known = new Map(Object.entries(records).map(([name, all]) => [name.toLowerCase(), all]));
  let misbehaviour: DnsMisbehaviour | undefined;
  let asked = 0;
  const closing = new AbortController();
  const socket: Socket = createSocket('udp4');
  const answer = async (question: Buffer, from: RemoteInfo): Promise<void> => {
    const query = readQuery(question);
    if (!query) return; // no question, no answer
    asked += 1;
    const now = misbehaviour;
    if (now?.is === 'timeout') return;
    if (now?.is === 'slow') await clock.sleep(now.delayMs, closing.signal);
    const addressesOf = (name: string): readonly string[] | undefined =>
      now?.is === 'lie' ? [now.address] : known.get(name.toLowerCase());
    socket.send(encode(answerTo(query, now, addressesOf, ttlSeconds)), from.port, from.address);
  };
  socket.on('message', (question, from) => {
    answer(question, from).catch((error: unknown) => {
      if (!closing.signal.aborted) throw error;
    });
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    names: [...known.keys()],
    get asked() {
      return asked;
    },
    get misbehaviour() {
      return misbehaviour;
    },
    misbehave: (how) => {
      misbehaviour = how && parseOrThrow(DnsMisbehaviour, how, 'a misbehaviour');
    },
    close: async () => {
      closing.abort('closed');
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    },
  };
}

function readQuery(question: Buffer): Packet | undefined {
  try {
    return decode(question);
  } catch {
    return undefined; // not DNS
  }
}

function answerTo(
  { id, questions = [] }: Packet,
  misbehaviour: DnsMisbehaviour | undefined,
  addressesOf: (name: string) => readonly string[] | undefined,
  ttl: number,
): Packet {
  const [question] = questions;
  const addresses = question && addressesOf(question.name);
  const isUnknown = addresses === undefined || misbehaviour?.is === 'nxdomain';
  const code = misbehaviour?.is === 'servfail' ? SERVFAIL : isUnknown ? NXDOMAIN : 0;
  const isAnswered = code === 0 && question?.type === 'A'; // it has no IPv6 addresses, which is no failure
  return {
    type: 'response',
    flags: AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE | code,
    questions,
    ...(id !== undefined && { id }),
    answers: isAnswered
      ? (addresses ?? []).map((data) => ({ type: 'A' as const, name: question.name, ttl, data }))
      : [],
  };
}
