import { type IncomingHttpHeaders, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Condition } from '../../incident/symptom.ts';
import type { Reading } from '../../resource/reading.ts';
import { retryAfterOf } from './retry-after.ts';
import { readingOfConnectError } from './connect.ts';
import { failed, type LayerProbe, type NegativeControl } from './layer.ts';

export interface ApplicationProbeOptions {
  url: string;
  /** Whether this status is well. Default: 200 to 399. */
  isGood?: (status: number) => boolean;
  headers?: Readonly<Record<string, string>>;
  /** Certificate authorities to trust, PEM. Default: those of Node. */
  ca?: string;
  /** How the host's name becomes an address. Default: the system's way. */
  lookup?: LookupFunction;
  /** Address of ours to come from. Default: the system chooses. */
  localAddress?: string;
  /** A path that must not be well; where it is, something answers for everything. Default: none is asked for. */
  controlPath?: string;
  /** Ms since the epoch, for a Retry-After in seconds. */
  now: () => number;
}

/** Layer 7: does it answer a request, by a connection of its own? */
export function applicationProbe(options: ApplicationProbeOptions): LayerProbe {
  const { url, isGood = (status) => status >= 200 && status < 400, controlPath } = options;
  return {
    layer: 7,
    name: `GET ${url}`,
    ...(controlPath !== undefined && { control: mustNotBeGood(options, controlPath, isGood) }),
    look: async (signal) => {
      try {
        const { status, headers } = await get(options, url, signal);
        return isGood(status) ? { status: 'HEALTHY' } : readingOfStatus(status, headers, options);
      } catch (error) {
        signal.throwIfAborted();
        const { hostname, port, protocol } = new URL(url);
        const usual = protocol === 'https:' ? 443 : 80;
        return readingOfConnectError(error, { host: hostname, port: Number(port || usual) });
      }
    },
  };
}

function mustNotBeGood(
  options: ApplicationProbeOptions,
  path: string,
  isGood: (status: number) => boolean,
): NegativeControl {
  return {
    name: `${path} is not found`,
    hasFailed: async (signal) => {
      try {
        return !isGood((await get(options, new URL(path, options.url).href, signal)).status);
      } catch {
        return true;
      }
    },
  };
}

/** 429 says that it is alive and wants to be left alone: that is no reason to restart it, but one not to. */
function readingOfStatus(
  status: number,
  headers: IncomingHttpHeaders,
  { url, now }: ApplicationProbeOptions,
): Reading {
  if (status === 429) {
    const until = retryAfterOf(headers['retry-after'], now());
    const quota: Condition = { name: 'quota_exhausted', ...(until !== undefined && { until }) };
    return {
      status: 'FAILED',
      signal: 'http.429',
      certainty: 'decisive',
      note: `${url} answers 429`,
      conditions: [quota],
    };
  }
  return failed(
    `http.${status}`,
    status >= 500 ? 'decisive' : 'ambiguous',
    `${url} answers ${status}`,
  );
}

function get(
  { headers = {}, ca, lookup, localAddress }: ApplicationProbeOptions,
  url: string,
  signal: AbortSignal,
): Promise<{ status: number; headers: IncomingHttpHeaders }> {
  return new Promise((resolve, reject) => {
    const isTls = url.startsWith('https:');
    const send = isTls ? requestHttps : requestHttp;
    const options = {
      headers,
      agent: false,
      signal,
      ...(ca !== undefined && { ca }),
      ...(lookup && { lookup }),
      ...(localAddress !== undefined && { localAddress }),
    };
    const request = send(url, options, (response) => {
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers }),
      );
      response.once('error', reject);
      response.resume(); // a head without its body is no answer
    });
    request.once('error', reject);
    request.end();
  });
}
