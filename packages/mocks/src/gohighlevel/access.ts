import { createHmac } from 'node:crypto';
import { z } from 'zod';
import type { IsAdmitted } from '../exchange/is-admitted.ts';
import { opaqueId } from '../sample-data/opaque-id.ts';
import type { Json, WireRequest, WireResponse } from '../wire/message.ts';
import { RequestRefusedError } from '../wire/request-refused-error.ts';
import { forbidden, ok, unauthorized, unprocessable } from './replies.ts';
import type { GoHighLevelMockOptions } from './options.ts';

export type Scope = 'contacts.readonly' | 'contacts.write' | 'locations.readonly';

/** How many tokens are remembered as handed out, and how many as used up; the oldest is forgotten first. */
const REMEMBERED_TOKENS = 10_000;

const GRANTS = ['authorization_code', 'refresh_token', 'client_credentials'];

const TokenRequest = z.looseObject({
  client_id: z.string('should not be empty').min(1, 'should not be empty'),
  client_secret: z.string('should not be empty').min(1, 'should not be empty'),
  grant_type: z.enum(GRANTS, `must be one of the following values: ${GRANTS.join(', ')}`),
  refresh_token: z.string().optional(),
  code: z.string().optional(),
  user_type: z.string().optional(),
});

/** By their marks: a snapshot may be written to a file, and should hold no token. */
export const AccessState = z.strictObject({
  handedOut: z.array(z.string()),
  usedUp: z.array(z.string()),
});
export type AccessState = z.output<typeof AccessState>;

const Claims = z.object({ sub: z.string(), use: z.enum(['access', 'refresh']), exp: z.number() });

/** Who may do what at this location: private integration tokens, and those that `POST /oauth/token` hands out. */
export class Access {
  readonly #options: GoHighLevelMockOptions;
  /** What is signed here and not among them was handed out before a reset. */
  readonly #handedOut = new Set<string>();
  readonly #usedUp = new Set<string>();

  readonly #isAdmitted: IsAdmitted | undefined;

  constructor(options: GoHighLevelMockOptions, isAdmitted?: IsAdmitted) {
    this.#options = options;
    this.#isAdmitted = isAdmitted;
  }

  /** @throws {RequestRefusedError} 401 without a good token or the scope, 403 for one of another location. */
  require(scope: Scope, request: WireRequest, now: number): void {
    const token = /^Bearer (\S+)$/i.exec(request.headers['authorization'] ?? '')?.[1];
    if (token === undefined) throw new RequestRefusedError(unauthorized('Invalid JWT'));
    const claims = this.#claimsOf(token);
    if (claims) {
      const isGood = claims.use === 'access' && claims.exp > now;
      if (!isGood || !this.#handedOut.has(markOf(token))) {
        throw new RequestRefusedError(unauthorized('Invalid JWT'));
      }
      return;
    }
    const { tokens, locationId } = this.#options;
    if (this.#isAdmitted && !this.#isAdmitted(token)) throw refusedToken(token);
    if (!tokens) return;
    const known = Object.hasOwn(tokens, token) ? tokens[token] : undefined;
    if (!known) throw refusedToken(token);
    if (known.locationId !== undefined && known.locationId !== locationId) throw wrongLocation();
    if (known.scopes && !known.scopes.includes(scope)) {
      throw new RequestRefusedError(unauthorized('The token is not authorized for this scope.'));
    }
  }

  /** @throws {RequestRefusedError} 403 for any other location than this one. */
  requireLocation(locationId: string): void {
    if (locationId !== this.#options.locationId) throw wrongLocation();
  }

  /** Hands out tokens for a grant; a refresh token serves once. */
  issue(request: WireRequest, { at, n }: { at: number; n: number }, isV3: boolean): WireResponse {
    const parsed = TokenRequest.safeParse(readFields(request));
    if (!parsed.success) {
      return unprocessable(
        parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`),
      );
    }
    const { client_id, client_secret, grant_type, refresh_token, code } = parsed.data;
    const { locationId, tokenMs, seed } = this.#options;
    if (!this.#knows(client_id, client_secret)) return unauthorized('Invalid client credentials');
    if (grant_type === 'authorization_code' && !code) {
      return unprocessable(['code should not be empty']);
    }
    if (grant_type === 'refresh_token' && !this.#takes(refresh_token)) {
      return unauthorized('Invalid refresh token');
    }
    const answer = {
      access_token: this.#handOut('access', n, at + tokenMs),
      token_type: 'Bearer',
      expires_in: Math.floor(tokenMs / 1_000) - 1,
      refresh_token: this.#handOut('refresh', n, at + 365 * 86_400_000),
      scope: 'contacts.readonly contacts.write locations.readonly',
      userType: 'Location',
      locationId,
      companyId: opaqueId(20, seed, 'gohighlevel', 'company'),
      userId: opaqueId(20, seed, 'gohighlevel', 'user'),
    };
    return ok(isV3 ? inV3(answer) : answer);
  }

  snapshot(): AccessState {
    return { handedOut: [...this.#handedOut], usedUp: [...this.#usedUp] };
  }

  reset({ handedOut, usedUp }: AccessState = { handedOut: [], usedUp: [] }): void {
    this.#handedOut.clear();
    this.#usedUp.clear();
    for (const mark of handedOut) this.#handedOut.add(mark);
    for (const mark of usedUp) this.#usedUp.add(mark);
  }

  /** Where it is said who may call, nobody else gets a token either. */
  #knows(clientId: string, secret: string): boolean {
    const { oauthClients, tokens } = this.#options;
    if (!oauthClients) return tokens === undefined && this.#isAdmitted === undefined;
    return Object.hasOwn(oauthClients, clientId) && oauthClients[clientId] === secret;
  }

  #takes(refreshToken: string | undefined): boolean {
    if (!refreshToken) return false;
    const claims = this.#claimsOf(refreshToken);
    const mark = markOf(refreshToken);
    if (claims && (claims.use !== 'refresh' || !this.#handedOut.has(mark))) return false;
    if (this.#usedUp.has(mark)) return false;
    remember(mark, this.#usedUp);
    return true;
  }

  #handOut(use: 'access' | 'refresh', n: number, exp: number): string {
    const token = this.#sign(use, n, exp);
    remember(markOf(token), this.#handedOut);
    return token;
  }

  /** A JWT (RFC 7519): it says itself until when it is good. */
  #sign(use: 'access' | 'refresh', n: number, exp: number): string {
    const sub = `${this.#options.locationId}/${n}`;
    const payload = Buffer.from(JSON.stringify({ sub, use, exp })).toString('base64url');
    return `${JWT_HEADER}.${payload}.${this.#signature(payload)}`;
  }

  #signature(payload: string): string {
    const key = JSON.stringify([this.#options.seed, 'gohighlevel', 'tokens']);
    return createHmac('sha256', key).update(`${JWT_HEADER}.${payload}`).digest('base64url');
  }

  /** Undefined for a token that was not issued here. */
  #claimsOf(token: string): z.output<typeof Claims> | undefined {
    const [header, payload, signature] = token.split('.');
    if (header !== JWT_HEADER || payload === undefined) return undefined;
    if (signature !== this.#signature(payload)) return undefined;
    return Claims.parse(JSON.parse(Buffer.from(payload, 'base64url').toString()));
  }
}

const JWT_HEADER = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url');

function markOf(token: string): string {
  return opaqueId(24, token);
}

function remember(mark: string, marks: Set<string>): void {
  marks.add(mark);
  for (const oldest of marks) {
    if (marks.size <= REMEMBERED_TOKENS) return;
    marks.delete(oldest);
  }
}

function refusedToken(token: string): RequestRefusedError {
  const isPrivate = token.startsWith('pit-');
  return new RequestRefusedError(
    unauthorized(isPrivate ? 'Invalid Private Integration token' : 'Invalid JWT'),
  );
}

function wrongLocation(): RequestRefusedError {
  return new RequestRefusedError(forbidden('The token does not have access to this location.'));
}

/** As a form, or as JSON with v3's names. */
function readFields({ body }: WireRequest): unknown {
  switch (body.kind) {
    case 'form':
      return Object.fromEntries([...body.fields].map(([key, value]) => [snakeCase(key), value]));
    case 'json': {
      const isObject = typeof body.value === 'object' && body.value !== null;
      return isObject
        ? Object.fromEntries(Object.entries(body.value).map(([key, v]) => [snakeCase(key), v]))
        : {};
    }
    case 'none':
    case 'unreadable':
      return {};
  }
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function inV3(answer: { readonly [key: string]: Json }): Json {
  return Object.fromEntries(
    Object.entries(answer).map(([name, value]) => [
      name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  );
}
