import { type Clock, systemClock } from '@buddy/core';
import { retryAfterOf } from '../../probes/layers/retry-after.ts';
import type { Authentication } from './credential.ts';

export interface HttpAuthenticationOptions {
  /** Something that may be read by whoever is known, and changes nothing. */
  url: string;
  /** Default: `authorization: Bearer <secret>`. */
  headersFor?: (secret: string) => Readonly<Record<string, string>>;
  clock?: Clock;
}

/** Asks over HTTP: 401 and 403 refuse, 200 to 399 accept, everything else is unclear. Redirects are not followed. */
export function httpAuthentication({
  url,
  headersFor = (secret) => ({ authorization: `Bearer ${secret}` }),
  clock = systemClock,
}: HttpAuthenticationOptions): (secret: string, signal: AbortSignal) => Promise<Authentication> {
  return async (secret, signal) => {
    // A redirect that is followed would carry the secret elsewhere.
    const response = await fetch(url, { headers: headersFor(secret), redirect: 'manual', signal });
    await response.body?.cancel();
    const { status, headers } = response;
    if (status === 401 || status === 403) return { is: 'refused' };
    if (status >= 200 && status < 400) return { is: 'accepted' };
    const until = retryAfterOf(headers.get('retry-after'), clock.now());
    return { is: 'unclear', status, ...(until !== undefined && { quotaUntil: until }) };
  };
}
