import type { IsAdmitted } from '../exchange/is-admitted.ts';
import { GraphRefusal } from './refusal.ts';

const BEARER = /^Bearer\s+(\S+)$/i;

/**
 * Lets in who bears a token: any, or one that is listed or said to be good. Of a JSON Web Token the end is looked at, but not the signature.
 * @throws {GraphRefusal} 401.
 */
export function authenticate(
  headers: Readonly<Record<string, string>>,
  at: number,
  accepted: readonly string[] | undefined,
  isAdmitted: IsAdmitted | undefined,
): void {
  const token = BEARER.exec(headers['authorization'] ?? '')?.[1];
  if (token === undefined) throw unauthorized('Access token is empty.');
  if (accepted?.includes(token) === false || isAdmitted?.(token) === false) {
    throw unauthorized('Access token validation failure. Invalid audience.');
  }
  const expiresAt = expiryOf(token);
  if (expiresAt !== undefined && expiresAt <= at) {
    throw unauthorized('Lifetime validation failed, the token is expired.');
  }
}

/** In ms since the epoch; undefined when the token does not say. */
function expiryOf(token: string): number | undefined {
  const [, payload, , ...more] = token.split('.');
  if (payload === undefined || more.length > 0) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
    if (typeof claims !== 'object' || claims === null || !('exp' in claims)) return undefined;
    return typeof claims.exp === 'number' ? claims.exp * 1_000 : undefined;
  } catch {
    return undefined; // no JSON Web Token, as those of personal accounts are none
  }
}

function unauthorized(message: string): GraphRefusal {
  return new GraphRefusal(401, 'InvalidAuthenticationToken', message, {
    'www-authenticate':
      'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"',
  });
}
