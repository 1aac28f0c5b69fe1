import { BlockList, isIP } from 'node:net';
import { parseOrThrow } from '@buddy/core';
import { z } from 'zod';
import { Person } from '../roles/roles.ts';
import { FastApprovalRefusedError } from './errors.ts';

const HOUR_MS = 3_600_000;

/** What has to be so before requests are approved by nobody's word. */
export const FastApprovalOptions = z.strictObject({
  /** Has to be `dev`. */
  mode: z.string(),
  /** The process's environment; read again at each use. `NODE_ENV` must not be production. */
  environment: z.record(z.string(), z.string().optional()),
  /** Where the service listens: a loopback address, or `localhost`. */
  host: z.string(),
  /** How long it lasts, in ms; at most 8 hours. */
  ttlMs: z
    .int()
    .positive()
    .max(8 * HOUR_MS),
  /** Whoever switches it on. */
  by: Person,
});
export type FastApprovalInput = z.input<typeof FastApprovalOptions>;
export type FastApprovalOptions = z.output<typeof FastApprovalOptions>;

/**
 * Approving without people, for development.
 * @throws {FastApprovalRefusedError} In production, outside `dev` mode, or where others than this machine can reach it.
 * @throws {InvalidInputError} When an option does not fit.
 */
export function checkFastApproval(input: FastApprovalInput): FastApprovalOptions {
  const options = parseOrThrow(FastApprovalOptions, input, 'options of fast approval');
  const why = obstacle(options, input.environment);
  if (why !== undefined) throw new FastApprovalRefusedError(`Fast approval is refused: ${why}.`);
  // Not the copy: what becomes of NODE_ENV later matters too.
  return { ...options, environment: input.environment };
}

/** Whether it still may be used. */
export function isFastApprovalAllowed(options: FastApprovalOptions): boolean {
  return obstacle(options, options.environment) === undefined;
}

function obstacle(
  { mode, host }: Pick<FastApprovalOptions, 'mode' | 'host'>,
  environment: FastApprovalOptions['environment'],
): string | undefined {
  if (mode !== 'dev') return 'the mode is not dev';
  if (/^prod/i.test((environment['NODE_ENV'] ?? '').trim())) return 'NODE_ENV is production';
  if (!isLoopback(host)) return `${JSON.stringify(host)} is no loopback address`;
  return undefined;
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  const family = isIP(host);
  return family !== 0 && LOOPBACK.check(host, family === 4 ? 'ipv4' : 'ipv6');
}
