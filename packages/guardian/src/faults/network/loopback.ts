import { isIPv4 } from 'node:net';
import { z } from 'zod';

/** Faults are for this machine alone: what they break is never somebody else's. */
export const Loopback = z
  .string()
  .refine(
    (host) => host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.')),
    'must be on this machine: 127.0.0.1, ::1 or localhost',
  );
