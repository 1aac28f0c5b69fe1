import { BlockList, isIP } from 'node:net';
import { z } from 'zod';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** For the options of a fault: a host that is this machine. A fault never touches another. */
export const LoopbackHost = z
  .string()
  .refine(
    isLoopback,
    'must be this machine: 127.0.0.0/8, ::1 or localhost. Faults never touch others',
  );

function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  const family = isIP(host);
  return family !== 0 && LOOPBACK.check(host, family === 4 ? 'ipv4' : 'ipv6');
}
