import { type Clock, parseOrThrow, systemClock } from '@buddy/core';
import { z } from 'zod';
import { createLagMeter, type LagMeter } from '../../probes/lag-meter.ts';
import { applicationProbe } from '../../probes/layers/application.ts';
import { failed } from '../../probes/layers/layer.ts';
import { transportProbe } from '../../probes/layers/transport.ts';
import { takeSample } from '../../probes/sampler.ts';
import type { PortAdapter } from '../../resource/adapters.ts';
import type { Reading } from '../../resource/reading.ts';
import { findListener } from '../process/proc.ts';

export const HttpPortOptions = z.strictObject({
  host: z.string().min(1).default('127.0.0.1'),
  port: z.int().min(1).max(65_535),
  /** What is asked for to see whether somebody answers. */
  path: z.string().startsWith('/').default('/'),
  /** Who accepts and says nothing for so long, in ms, is silent. */
  silentAfterMs: z.number().positive().default(1_000),
});
export type HttpPortInput = z.input<typeof HttpPortOptions>;

/**
 * A port at which HTTP is spoken.
 * @throws {InvalidInputError} When the options are not usable.
 */
export function createHttpPort(
  input: HttpPortInput,
  { clock = systemClock, lag = createLagMeter(clock) }: { clock?: Clock; lag?: LagMeter } = {},
): PortAdapter {
  const options = parseOrThrow(HttpPortOptions, input, 'an HTTP port');
  const { host, port, path, silentAfterMs: timeoutMs } = options;
  const transport = transportProbe({ host, port });
  const url = `http://${host}:${port}${path}`;
  const application = applicationProbe({ url, now: () => clock.now() });
  const name = `${host}:${port}`;
  const take = (
    signal: AbortSignal,
    look: (own: AbortSignal) => Promise<Reading>,
  ): Promise<Reading> => {
    const silence = failed('port.silent', 'ambiguous', `${name} says nothing for ${timeoutMs} ms`);
    return takeSample({ clock, lag }, { name, timeoutMs, signal, look, silence });
  };
  const connect = (signal: AbortSignal) => take(signal, (own) => transport.look(own));
  const exchange = (signal: AbortSignal) => take(signal, (own) => application.look(own));
  return {
    kind: 'port',
    host,
    port,
    connect,
    exchange,
    // What is asked for over HTTP has been connected to.
    probe: exchange,
    owner: () => findListener(port),
  };
}
