import { createSocket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Reading } from '../../resource/reading.ts';
import { errorCode, failed, type LayerProbe, unknown } from './layer.ts';

const DISCARD_PORT = 9;
const ARP_COMPLETE = 0x2;
const ARP_FAILED = 0x0;

/**
 * Layer 2: is the gateway's hardware address known? Pokes the gateway with one datagram, so that the kernel asks for it,
 * and reads the kernel's own table.
 * @param root Where the kernel tells of its tables: `/proc`. Where there is none (macOS), the answer is UNKNOWN.
 */
export function dataLinkProbe(root = '/proc'): LayerProbe {
  return {
    layer: 2,
    name: 'neighbour of the default route',
    look: async (signal) => {
      const routes = await readTable(join(root, 'net/route'));
      if ('status' in routes) return routes;
      const gateway = defaultGateway(routes.text);
      if (gateway === undefined) {
        return unknown('no_route_info', 'there is no default route by IPv4 through a gateway');
      }
      const poked = await poke(gateway, signal);
      if (poked) return poked;
      const neighbours = await readTable(join(root, 'net/arp'));
      if ('status' in neighbours) return neighbours;
      return readNeighbour(neighbours.text, gateway);
    },
  };
}

/** The gateway of the default route, from `/proc/net/route`: addresses stand there in hex, the last byte first. */
function defaultGateway(routes: string): string | undefined {
  for (const line of routes.trim().split('\n').slice(1)) {
    const [, destination, gateway = '', flags = '0'] = line.trim().split(/\s+/);
    const isUpWithGateway = (Number.parseInt(flags, 16) & 0x3) === 0x3;
    if (destination !== '00000000' || !isUpWithGateway) continue;
    return (gateway.match(/../g) ?? [])
      .toReversed()
      .map((byte) => Number.parseInt(byte, 16))
      .join('.');
  }
  return undefined;
}

function readNeighbour(table: string, gateway: string): Reading {
  const line = table
    .trim()
    .split('\n')
    .find((each) => each.startsWith(`${gateway} `));
  if (line === undefined) {
    return unknown('no_route_info', `the kernel has no neighbour entry for ${gateway}`);
  }
  const [, , flags = '', address = ''] = line.split(/\s+/);
  const state = Number.parseInt(flags, 16);
  if ((state & ARP_COMPLETE) !== 0) return { status: 'HEALTHY', note: `${gateway} is ${address}` };
  if (state === ARP_FAILED) {
    return failed('link.no_neighbour', 'ambiguous', `${gateway} does not answer on the link`);
  }
  return unknown('no_route_info', `neighbour ${gateway} is in state ${flags}`);
}

/** A reading when it could not be sent, which is an answer too. */
function poke(host: string, signal: AbortSignal): Promise<Reading | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket({ type: 'udp4', signal });
    const finish = (reading?: Reading) => {
      socket.removeAllListeners();
      socket.on('error', () => undefined); // what comes after the answer is no news
      if (!signal.aborted) socket.close();
      resolve(reading);
    };
    socket.once('error', (error) => finish(readingOfSendError(error, host)));
    socket.send(Buffer.alloc(0), DISCARD_PORT, host, (error) =>
      finish(error ? readingOfSendError(error, host) : undefined),
    );
  });
}

function readingOfSendError(error: Error, host: string): Reading {
  const code = errorCode(error) ?? error.message;
  if (code === 'ENETUNREACH' || code === 'EHOSTUNREACH' || code === 'ENETDOWN') {
    return failed('network.unreachable', 'decisive', `no way to the gateway ${host} (${code})`);
  }
  const reason = code === 'EPERM' || code === 'EACCES' ? 'no_permission' : 'probe_error';
  return unknown(reason, `sending to the gateway ${host}: ${code}`);
}

async function readTable(path: string): Promise<{ text: string } | Reading> {
  try {
    return { text: await readFile(path, 'utf8') };
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT') return unknown('unsupported_platform', `${path} is not there`);
    if (code === 'EACCES' || code === 'EPERM') return unknown('no_permission', `${path}: ${code}`);
    throw error;
  }
}
