import { type Clock, type Logger, parseOrThrow, silentLogger, systemClock } from '@buddy/core';
import { z } from 'zod';
import { PermissionDeniedError, Person } from '../../roles/roles.ts';
import type { Approval } from '../approval.ts';
import { approvalsFor, type PersonalApprovals, type PersonalSource } from '../approvals-for.ts';
import {
  ApprovalClosedError,
  ApprovalChangedError,
  ApprovalMismatchError,
  ApprovalUnreadableError,
  VoteRefusedError,
} from '../errors.ts';
import { deriveKey } from '../seal.ts';
import { detailPage, type DetailPageParts } from './detail-page.ts';
import { FormTokens } from './form-token.ts';
import { layout } from './layout.ts';
import { listPage } from './list-page.ts';
import { type Markup, markup } from './markup.ts';
import { readForm } from './read-form.ts';
import { obstacleWords, stateWord } from './state-words.ts';
import { STYLE_HASH } from './style.ts';

export const ApprovalFormOptions = z.strictObject({
  /** Where people see it: `https://ops.example.com`. Votes from pages of other origins, and requests to other hosts, are refused. */
  origin: z.url({ protocol: /^https?$/ }).transform((url) => new URL(url).origin),
  /** The path that it is mounted at. */
  base: z
    .string()
    .regex(/^(?:\/[\w.~-]+)+$/, 'must be a path such as /approvals')
    .default('/approvals'),
  /** What the `Host` header may be. Default: the origin's host; for proxies that change it. */
  hosts: z.array(z.string()).min(1).exactOptional(),
});
export type ApprovalFormInput = z.input<typeof ApprovalFormOptions>;
export type ApprovalFormOptions = z.output<typeof ApprovalFormOptions>;

export interface ApprovalFormPorts {
  approvals: PersonalSource;
  /** At least 32 random bytes, the same for all processes that serve the form. */
  secret: Uint8Array;
  /**
   * Who makes a request, as the host has authenticated him; undefined for nobody. Cookies that it relies on should be
   * `SameSite=Strict` or `Lax`.
   */
  identify: (request: Request) => Person | undefined | Promise<Person | undefined>;
  clock?: Clock;
  /** Hears of what went wrong here. Default: silent. */
  logger?: Logger;
}

export interface ApprovalForm {
  /** Answers every request below `base`; never throws. */
  fetch(request: Request): Promise<Response>;
}

/**
 * Pages on which people see what waits, and decide: a list, one page for each request, and a form. For any server that
 * speaks `Request` and `Response`. No script; what agents wrote is text, and what hides in it is shown.
 * @throws {InvalidInputError} When an option does not fit.
 * @example
 * const form = createApprovalForm({ origin: 'https://ops.example.com' }, { approvals, secret, identify });
 * app.all('/approvals/*', (c) => form.fetch(c.req.raw)); // Hono
 */
export function createApprovalForm(
  input: ApprovalFormInput,
  ports: ApprovalFormPorts,
): ApprovalForm {
  const options = parseOrThrow(ApprovalFormOptions, input, 'options of createApprovalForm');
  const handler = new FormHandler(options, ports);
  return { fetch: (request) => handler.fetch(request) };
}

/** A page that says what went wrong, and what to do. */
class Problem extends Error {
  readonly status: number;
  readonly title: string;
  readonly next: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, title: string, next: string, headers = {}) {
    super(title);
    this.status = status;
    this.title = title;
    this.next = next;
    this.headers = headers;
  }
}

const NOT_FOUND = [
  'There is no such request',
  'It may be mistyped, or not yours to see. Go back to the list.',
] as const;

class FormHandler {
  readonly #options: ApprovalFormOptions;
  readonly #ports: ApprovalFormPorts;
  readonly #tokens: FormTokens;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #hosts: ReadonlySet<string>;

  constructor(options: ApprovalFormOptions, ports: ApprovalFormPorts) {
    const { secret, clock = systemClock, logger = silentLogger } = ports;
    this.#options = options;
    this.#ports = ports;
    this.#tokens = new FormTokens(deriveKey(secret, 'form'));
    this.#clock = clock;
    this.#logger = logger;
    this.#hosts = new Set(options.hosts ?? [new URL(options.origin).host]);
  }

  async fetch(request: Request): Promise<Response> {
    let person: Person | undefined;
    try {
      this.#checkHost(request);
      person = await this.#identified(request);
      return await this.#answer(request, person);
    } catch (error) {
      const problem = this.#problemOf(error);
      const { status, title, next, headers } = problem;
      const content = markup`<h1>${title}</h1>
<p>${next}</p>
<p><a href="${this.#options.base}">All requests that wait</a></p>`;
      return this.#page(status, title, content, person, headers);
    }
  }

  async #answer(request: Request, person: Person): Promise<Response> {
    const { base } = this.#options;
    const { pathname, searchParams } = new URL(request.url);
    const rest =
      pathname === base ? '' : pathname.startsWith(`${base}/`) && pathname.slice(base.length + 1);
    if (rest === false) throw new Problem(404, ...NOT_FOUND);
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (rest === '') {
      if (!isRead) throw notAllowed('GET, HEAD');
      return this.#list(person, searchParams);
    }
    const approval = this.#visible(decoded(rest), person);
    if (isRead) return this.#detail(person, approval);
    if (request.method !== 'POST') throw notAllowed('GET, HEAD, POST');
    return this.#vote(request, person, approval);
  }

  #list(person: Person, query: URLSearchParams): Response {
    const { base } = this.#options;
    const mine = this.#approvalsFor(person);
    const show: 'all' | 'waiting' = query.get('show') === 'all' ? 'all' : 'waiting';
    const after = query.get('after') ?? undefined;
    if (after !== undefined && !/^[1-9]\d{0,14}$/.test(after)) {
      throw new Problem(400, 'There is no such page', 'Begin with the first one.');
    }
    const action = query.get('action')?.trim() ?? '';
    if (action.length > MAX_ACTION_CHARS) {
      throw new Problem(400, 'No action has such a name', 'Begin with the first page.');
    }
    const states = show === 'waiting' ? (['pending'] as const) : undefined;
    const page = mine.list({ states, after, limit: 50, ...(action !== '' && { action }) });
    const parts = {
      base,
      page,
      show,
      action,
      isFirst: after === undefined,
      groups: mine.groups({ states }),
      now: this.#clock.now(),
    };
    return this.#page(200, 'Requests for approval', listPage(parts), person);
  }

  #detail(person: Person, approval: Approval): Response {
    const mine = this.#approvalsFor(person);
    const { base } = this.#options;
    const now = this.#clock.now();
    const obstacle = mine.obstacleOf(approval);
    const content = detailPage({
      base,
      approval,
      content: contentFor(mine, approval),
      steps: mine.stepsOf(approval.id),
      token: obstacle === undefined ? this.#tokens.issue(person, approval, now) : undefined,
      obstacle,
      now,
    });
    return this.#page(200, `Request ${approval.id}`, content, person);
  }

  async #vote(request: Request, person: Person, approval: Approval): Promise<Response> {
    const { base, origin } = this.#options;
    if (!isFromOwnPage(request, origin)) {
      throw new Problem(
        403,
        'This did not come from this page',
        'Open the request here, and decide there.',
      );
    }
    const form = await readForm(request);
    if (!form.ok)
      throw new Problem(form.status, form.problem, 'Open the request again, and decide there.');
    switch (this.#tokens.check(form.token, person, approval, this.#clock.now())) {
      case 'good':
        break;
      case 'stale':
        throw new Problem(
          403,
          'The page was open for too long',
          'Open the request again: it may have changed.',
        );
      case 'forged':
        throw new Problem(
          403,
          'This form was not made for you',
          'Open the request here, and decide there.',
        );
    }
    await this.#approvalsFor(person).vote(approval.id, {
      vote: form.vote,
      via: 'form',
      seen: approval.bindingDigest,
      ...(form.comment !== '' && { comment: form.comment }),
    });
    const location = `${base}/${encodeURIComponent(approval.id)}`;
    return new Response(null, { status: 303, headers: { ...HEADERS, location } });
  }

  #approvalsFor(person: Person): PersonalApprovals {
    return approvalsFor(this.#ports.approvals, person);
  }

  /** A request that this person may not see is one that there is not. */
  #visible(id: string, person: Person): Approval {
    const approval = this.#approvalsFor(person).get(id);
    if (!approval) throw new Problem(404, ...NOT_FOUND);
    return approval;
  }

  /** Else a name that an attacker lets point here could read with the rights of whoever visits it. */
  #checkHost(request: Request): void {
    const host = request.headers.get('host') ?? new URL(request.url).host;
    if (this.#hosts.has(host.toLowerCase())) return;
    throw new Problem(421, 'This address is not served here', `Use ${this.#options.origin}.`);
  }

  async #identified(request: Request): Promise<Person> {
    const known = await this.#ports.identify(request);
    if (!known) throw new Problem(401, 'Nobody is logged in', 'Log in, then open this page again.');
    return parseOrThrow(Person, known, 'person from identify');
  }

  #problemOf(error: unknown): Problem {
    if (error instanceof Problem) return error;
    if (error instanceof PermissionDeniedError) {
      return new Problem(403, 'Your role does not allow this', 'Ask whoever manages roles.');
    }
    if (error instanceof VoteRefusedError) {
      return new Problem(403, 'Your vote was not taken', obstacleWords(error.obstacle));
    }
    if (error instanceof ApprovalClosedError) {
      return new Problem(
        409,
        `This request is ${stateWord(error.state)}`,
        'Nothing was changed. Look at it again.',
      );
    }
    if (error instanceof ApprovalChangedError) {
      return new Problem(
        409,
        'This request does not stand as it was written',
        'It was changed in the database, or an older version filed it. Nobody can agree to it; have it asked for again.',
      );
    }
    if (error instanceof ApprovalMismatchError) {
      return new Problem(409, 'This request has changed', 'Nothing was changed. Look at it again.');
    }
    if (error instanceof ApprovalUnreadableError) {
      return new Problem(
        409,
        'What this is about cannot be read',
        'Cancel it, and have it asked for again.',
      );
    }
    this.#logger.error({ err: error }, 'The approval form could not answer');
    return new Problem(
      500,
      'Something went wrong here',
      'Nothing may have been changed. Look at the request again.',
    );
  }

  #page(
    status: number,
    title: string,
    content: Markup,
    person: Person | undefined,
    headers: Readonly<Record<string, string>> = {},
  ): Response {
    const { base } = this.#options;
    const body = layout({ title: `${title} · Buddy`, base, person, content }).toString();
    return new Response(body, {
      status,
      headers: { ...HEADERS, 'content-type': 'text/html; charset=utf-8', ...headers },
    });
  }
}

function contentFor(mine: PersonalApprovals, { id }: Approval): DetailPageParts['content'] {
  try {
    return mine.contentOf(id);
  } catch (error) {
    if (error instanceof PermissionDeniedError) return 'hidden';
    if (error instanceof ApprovalUnreadableError) return 'unreadable';
    throw error;
  }
}

const MAX_ACTION_CHARS = 256;

function notAllowed(allow: string): Problem {
  return new Problem(405, 'This cannot be done here', 'Open the request, and decide there.', {
    allow,
  });
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new Problem(404, ...NOT_FOUND);
  }
}

/** Browsers say where a form came from, and no page can make them lie. */
function isFromOwnPage({ headers }: Request, origin: string): boolean {
  const site = headers.get('sec-fetch-site');
  if (site !== null && site !== 'same-origin') return false;
  const from = headers.get('origin');
  return from === null ? site === 'same-origin' : from === origin;
}

/** Nothing runs, nothing is fetched, nothing is kept, and no other page has this one in a frame or a hand on it. */
const HEADERS = {
  'content-security-policy': [
    `default-src 'none'`,
    `style-src '${STYLE_HASH}'`,
    `form-action 'self'`,
    `frame-ancestors 'none'`,
    `base-uri 'none'`,
  ].join('; '),
  'cache-control': 'no-store',
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  // Not no-referrer: browsers would then send `Origin: null` with our own form.
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
} as const;
