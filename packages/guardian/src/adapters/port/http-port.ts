import { type Clock, parseOrThrow, systemClock } from '@buddy/core';
import { z } from 'zod';
import { createLagMeter, type LagMeter } from '../../probes/lag-meter.ts';
import { applicationProbe } from '../../probes/layers/application.ts';
import { failed } from '../../probes/layers/layer.ts';
import { transportProbe } from '../../probes/layers/transport.ts';
import { takeSample } from '../../probes/sampler.ts';
import type { PortAdapter } from '../../resource/adapters/network.ts';
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

export interface HttpPortPorts {
  clock?: Clock;
  lag?: LagMeter;
  /** Where it is now, for a service that may move. Asked at each look. Default: where the options say. */
  whereIsIt?: () => number;
}

/**
 * A port at which HTTP is spoken.
 * @throws {InvalidInputError} When the options are not usable.
 * @example
 * const port = createHttpPort({ port: 8080 }, { whereIsIt: () => launch.settings().port ?? 8080 });
 */
export function createHttpPort(
  input: HttpPortInput,
  { clock = systemClock, lag = createLagMeter(clock), whereIsIt }: HttpPortPorts = {},
): PortAdapter {
  const options = parseOrThrow(HttpPortOptions, input, 'an HTTP port');
  const { host, path, silentAfterMs: timeoutMs } = options;
  const where = whereIsIt ?? (() => options.port);
  const take = (
    signal: AbortSignal,
    port: number,
    look: (own: AbortSignal) => Promise<Reading>,
  ): Promise<Reading> => {
    const name = `${host}:${port}`;
    const silence = failed('port.silent', 'ambiguous', `${name} says nothing for ${timeoutMs} ms`);
    return takeSample({ clock, lag }, { name, timeoutMs, signal, look, silence });
  };
  const connect = (signal: AbortSignal) => {
    const port = where();
    const transport = transportProbe({ host, port });
    return take(signal, port, (own) => transport.look(own));
  };
  const exchange = (signal: AbortSignal) => {
    const port = where();
    const url = `http://${host}:${port}${path}`;
    const application = applicationProbe({ url, now: () => clock.now() });
    return take(signal, port, (own) => application.look(own));
  };
  return {
    kind: 'port',
    host,
    get port() {
      return where();
    },
    connect,
    exchange,
    // What is asked for over HTTP has been connected to.
    probe: exchange,
    owner: () => findListener(where()),
  };
}
