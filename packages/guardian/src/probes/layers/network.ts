import type { LookupFunction } from 'node:net';
import type { Reading } from '../../resource/reading.ts';
import { controlFor, openSocket, readingOfConnectError } from './connect.ts';
import { type LayerProbe, type NegativeControl, unknown } from './layer.ts';

export interface NetworkProbeOptions {
  host: string;
  /** A port at which nobody listens: the refusal is the host's own answer. Default 9, discard. */
  closedPort?: number;
  control?: NegativeControl;
  /** How the host's name becomes an address. Default: the system's way. */
  lookup?: LookupFunction;
  /** Address of ours to come from. Default: the system chooses. */
  localAddress?: string;
}

/**
 * Layer 3: does the host answer at all? A refusal proves it, without privileges. Silence does not prove the contrary: a
 * filter may swallow the question, which is UNKNOWN.
 */
export function networkProbe(options: NetworkProbeOptions): LayerProbe {
  const { host, closedPort = 9, control, lookup, localAddress } = options;
  const target = {
    host,
    port: closedPort,
    ...(lookup && { lookup }),
    ...(localAddress !== undefined && { localAddress }),
  };
  const guard = control ?? controlFor(host);
  return {
    layer: 3,
    name: `host ${host}`,
    ...(guard && { control: guard }),
    silence: unknown('filtered', `${host} is silent, which a filter is too`),
    look: async (signal) => {
      try {
        (await openSocket(target, signal)).destroy();
        return { status: 'HEALTHY', note: `${host} accepts at ${closedPort}` };
      } catch (error) {
        return readingOfAnswer(readingOfConnectError(error, target), host);
      }
    },
  };
}

function readingOfAnswer(reading: Reading, host: string): Reading {
  if (reading.status !== 'FAILED') return reading;
  if (reading.signal === 'port.refused' || reading.signal === 'connection.reset') {
    return { status: 'HEALTHY', note: `${host} answered with a refusal` };
  }
  return reading;
}
