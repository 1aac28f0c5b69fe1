import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import type { Reading } from '../../resource/reading.ts';
import { errorCode, failed, type NegativeControl, unknown } from './layer.ts';

export interface Target {
  host: string;
  port: number;
  /** How the host's name becomes an address. Default: the system's way. */
  lookup?: LookupFunction;
  /** Address of ours to come from. Default: the system chooses. */
  localAddress?: string;
}

/** An address that is given to nobody (TEST-NET-1, RFC 5737): nothing answers there, unless something answers for everybody. */
const NOBODY: Target = { host: '192.0.2.1', port: 9 };
/** A true answer from far away takes longer than that; one from an interceptor on this machine or next to it does not. */
const CONTROL_MS = 250;

/** Opens a connection; rejects with the system's error. The caller closes it. */
export function openSocket(target: Target, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = connectTcp(target);
    // By hand: the socket's own `signal` option costs half as much again as the connection.
    const abort = () => socket.destroy(new Error(`connecting to ${target.host} was given up`));
    const settle = () => signal.removeEventListener('abort', abort);
    signal.addEventListener('abort', abort, { once: true });
    socket.once('error', (error) => {
      settle();
      reject(error);
    });
    socket.once('connect', () => {
      settle();
      socket.on('error', () => socket.destroy());
      resolve(socket);
    });
  });
}

/** What a failed connection says of the way to the host and of the host. */
export function readingOfConnectError(error: unknown, { host, port }: Target): Reading {
  const code = errorCode(error);
  switch (code) {
    case 'ECONNREFUSED':
      return failed('port.refused', 'decisive', `${host}:${port} refuses`);
    case 'ECONNRESET':
    case 'EPIPE':
      return failed('connection.reset', 'decisive', `${host}:${port} resets`);
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
    case 'ENETDOWN':
      return failed('network.unreachable', 'decisive', `no way to ${host} (${code})`);
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return failed('dns.failed', 'ambiguous', `${host} does not resolve (${code})`);
    case 'EACCES':
    case 'EPERM':
      return unknown('no_permission', `connecting to ${host}:${port} is not permitted`);
    case undefined:
    default:
      throw error;
  }
}

/** What has to fail for a success to prove anything; nothing intercepts loopback. */
export function controlFor(host: string): NegativeControl | undefined {
  return isLoopback(host) ? undefined : nobodyAnswers();
}

function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true;
  return isIP(host) === 4 && host.startsWith('127.');
}

/** A connection to an address that nobody has must not be made. */
export function nobodyAnswers(to: Target = NOBODY): NegativeControl {
  return {
    name: `nobody answers at ${to.host}`,
    hasFailed: async (signal) => {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(CONTROL_MS)]);
      try {
        (await openSocket(to, limit)).destroy();
        return false;
      } catch {
        return true;
      }
    },
  };
}
