import { z } from 'zod';
import type { HttpWay } from './http-client.ts';

const PathOptions = z.union([
  z.url().transform((url): HttpWay => ({ url })),
  z.strictObject({
    url: z.url(),
    /** Address of ours to come from: another network card is another way. */
    localAddress: z.union([z.ipv4(), z.ipv6()]).optional(),
  }),
]);

export const HttpEndpointOptions = z.strictObject({
  /** Ways to the same thing, by name: a URL, or a URL and the address to come from. The first is the one in use. */
  paths: z
    .record(z.string().min(1), PathOptions)
    .refine((paths) => Object.keys(paths).length > 0, 'at least one path'),
  /** What a request takes in good times, in ms, by path. */
  baselineMs: z.record(z.string(), z.number().positive()).default({}),
  /** Requests for one measure, all at once. */
  samples: z.int().positive().default(3),
  /** Less than the guardian's `probeTimeoutMs`, so that it is the endpoint that tells of silence. */
  timeoutMs: z.number().positive().default(1_500),
  /** Requests that may be under way at once; for those who ask `concurrencyLimit`. */
  concurrency: z.int().positive().default(16),
  /** A path that is silent for so many requests in a row is closed to all, for so long, in ms; then one is tried. */
  breaker: z
    .strictObject({
      failures: z.int().positive().default(5),
      openMs: z.number().positive().default(30_000),
      longestOpenMs: z.number().positive().default(600_000),
    })
    .prefault({}),
  /** Answers to GET may be given again for so long, in ms, when there is no other; so many are kept. 0: never. */
  stale: z
    .strictObject({
      forMs: z.number().nonnegative().default(0),
      most: z.int().positive().default(100),
    })
    .prefault({}),
  /** Requests that can wait: where they are kept, how many at most, and when they are tried again, in ms. */
  outbox: z
    .strictObject({
      file: z.string().min(1).default(':memory:'),
      most: z.int().positive().default(1_000),
      retryMs: z.number().positive().default(1_000),
      longestRetryMs: z.number().positive().default(60_000),
    })
    .prefault({}),
  /** Certificate authorities to trust, PEM. Default: those of Node. */
  ca: z.string().optional(),
});
export type HttpEndpointInput = z.input<typeof HttpEndpointOptions>;
export type HttpEndpointOptions = z.output<typeof HttpEndpointOptions>;
