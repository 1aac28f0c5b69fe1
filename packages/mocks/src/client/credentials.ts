import type { Clock } from '@buddy/core';
import { waitFor } from './wait-for.ts';

/** How a client proves who calls. */
export interface Credentials {
  /** The bearer token for the next request; undefined when there is none to show. */
  token(signal?: AbortSignal): Promise<string | undefined> | string | undefined;
  /**
   * Told that the provider refused a token: whether there is now another to try. Left out: there never is.
   * @throws Whatever getting another one throws.
   */
  renew?(refused: string | undefined, signal?: AbortSignal): Promise<boolean>;
  /** What must appear in no error. */
  secrets(): readonly string[];
}

export const NO_CREDENTIALS: Credentials = { token: () => undefined, secrets: () => [] };

/** One token that stays as it is. */
export function fixedToken(token: string): Credentials {
  return { token: () => token, secrets: () => [token] };
}

const TOKENS_KEPT_SECRET = 8;

/** Keeps the latest, in the order in which they were added. */
export function forgetAllBut(count: number, values: Set<string>): void {
  for (const oldest of values) {
    if (values.size <= count) return;
    values.delete(oldest);
  }
}

export interface AccessToken {
  readonly accessToken: string;
  /** Ms since the epoch; left out, it is used until it is refused. */
  readonly expiresAt?: number | undefined;
}

/** A token this near to its end is renewed rather than used. */
const EARLY_MS = 30_000;

/**
 * Tokens that end and are renewed: before they end, or when one is refused. Whoever needs a new one while one is being
 * fetched waits for that one, so a refresh token that serves once is used once.
 * @param fetchToken Gets a new one; not stopped by any caller's signal, for others wait for it too.
 * @param secrets What `fetchToken` uses that must appear in no error.
 */
export function renewedToken(
  fetchToken: () => Promise<AccessToken>,
  {
    first,
    secrets = () => [],
    clock,
  }: { first?: AccessToken | undefined; secrets?: () => readonly string[]; clock: Clock },
): Credentials {
  let current = first;
  /** A call that began with the token before may still end with an error that repeats it. */
  const lately = new Set(first ? [first.accessToken] : []);
  let renewal: Promise<AccessToken> | undefined;

  const renew = (): Promise<AccessToken> => {
    renewal ??= fetchToken()
      .then((token) => {
        current = token;
        lately.add(token.accessToken);
        forgetAllBut(TOKENS_KEPT_SECRET, lately);
        return token;
      })
      .finally(() => {
        renewal = undefined;
      });
    return renewal;
  };
  const isUsable = ({ expiresAt }: AccessToken) =>
    expiresAt === undefined || clock.now() + EARLY_MS < expiresAt;

  return {
    token: async (signal) => {
      if (current && isUsable(current)) return current.accessToken;
      return (await waitFor(renew(), signal)).accessToken;
    },
    renew: async (refused, signal) => {
      // Somebody else may have renewed it since this one was sent.
      if (current === undefined || current.accessToken === refused) {
        await waitFor(renew(), signal);
      }
      return true;
    },
    secrets: () => [...secrets(), ...lately],
  };
}
