import { opaqueId } from '../sample-data/opaque-id.ts';

export interface Session {
  readonly expiresAt: number;
  readonly email: string;
}

/** How many may be open at once; beyond them the oldest ends, so that a clock that stands still fills no memory. */
const MOST_SESSIONS = 10_000;

/** Who is logged in. Tokens are known by a mark only, so that a snapshot holds none. */
export class Sessions {
  /** By the mark of the token. All last equally long, so the oldest expire first. */
  readonly #sessions = new Map<string, Session>();

  open(token: string, session: Session, now: number): void {
    this.#dropExpired(now);
    this.#sessions.set(markOf(token), session);
    for (const oldest of this.#sessions.keys()) {
      if (this.#sessions.size <= MOST_SESSIONS) return;
      this.#sessions.delete(oldest);
    }
  }

  find(token: string | undefined, now: number): Session | undefined {
    const session = token === undefined ? undefined : this.#sessions.get(markOf(token));
    return session && session.expiresAt > now ? session : undefined;
  }

  close(token: string | undefined): void {
    if (token !== undefined) this.#sessions.delete(markOf(token));
  }

  countOpen(now: number): number {
    this.#dropExpired(now);
    return this.#sessions.size;
  }

  state(): readonly (Session & { readonly mark: string })[] {
    return Array.from(this.#sessions, ([mark, session]) => ({ mark, ...session }));
  }

  reset(sessions: readonly (Session & { readonly mark: string })[] = []): void {
    this.#sessions.clear();
    for (const { mark, ...session } of sessions) this.#sessions.set(mark, session);
  }

  #dropExpired(now: number): void {
    for (const [mark, { expiresAt }] of this.#sessions) {
      if (expiresAt > now) return;
      this.#sessions.delete(mark);
    }
  }
}

function markOf(token: string): string {
  return opaqueId(24, 'mployer session', token);
}
