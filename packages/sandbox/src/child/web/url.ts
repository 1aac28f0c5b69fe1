import { URL as NodeURL } from 'node:url';
import { URLSearchParams, watchParams } from './url-search-params.ts';

/** The text of a URL of ours; undefined for anything else. Calls nothing of the value. */
export let hrefOf: (value: object) => string | undefined;

/**
 * `URL` of the URL standard, without `createObjectURL`. Node's own is asked what text means, and handed out never: only
 * strings come from it.
 */
export class URL {
  static readonly name = 'URL'; // the child's program is minified
  readonly #url: NodeURL;
  #params: URLSearchParams | undefined;

  static {
    hrefOf = (value) => (#url in value ? value.#url.href : undefined);
  }

  constructor(url: unknown, base?: unknown) {
    this.#url = parsed(url, base);
  }

  static canParse(url: unknown, base?: unknown): boolean {
    return tryParse(url, base) !== null;
  }
  static parse(url: unknown, base?: unknown): URL | null {
    return URL.canParse(url, base) ? new URL(url, base) : null;
  }

  get href(): string {
    return this.#url.href;
  }
  set href(value: unknown) {
    this.#url.href = parsed(value).href;
    this.#watch(this.#params);
  }
  get origin(): string {
    return this.#url.origin;
  }
  get protocol(): string {
    return this.#url.protocol;
  }
  set protocol(value: unknown) {
    this.#url.protocol = String(value);
  }
  get username(): string {
    return this.#url.username;
  }
  set username(value: unknown) {
    this.#url.username = String(value);
  }
  get password(): string {
    return this.#url.password;
  }
  set password(value: unknown) {
    this.#url.password = String(value);
  }
  get host(): string {
    return this.#url.host;
  }
  set host(value: unknown) {
    this.#url.host = String(value);
  }
  get hostname(): string {
    return this.#url.hostname;
  }
  set hostname(value: unknown) {
    this.#url.hostname = String(value);
  }
  get port(): string {
    return this.#url.port;
  }
  set port(value: unknown) {
    this.#url.port = String(value);
  }
  get pathname(): string {
    return this.#url.pathname;
  }
  set pathname(value: unknown) {
    this.#url.pathname = String(value);
  }
  get search(): string {
    return this.#url.search;
  }
  set search(value: unknown) {
    this.#url.search = String(value);
    this.#watch(this.#params);
  }
  get hash(): string {
    return this.#url.hash;
  }
  set hash(value: unknown) {
    this.#url.hash = String(value);
  }
  get searchParams(): URLSearchParams {
    return this.#params ?? this.#watch(new URLSearchParams());
  }
  toString(): string {
    return this.href;
  }
  toJSON(): string {
    return this.href;
  }
  get [Symbol.toStringTag](): string {
    return 'URL';
  }

  /** Sets the params to what the URL says, and the URL to what they say from then on. */
  #watch<Params extends URLSearchParams | undefined>(params: Params): Params {
    if (params) {
      this.#params = params;
      watchParams(params, this.#url.search, () => {
        this.#url.search = params.toString();
      });
    }
    return params;
  }
}

function parsed(url: unknown, base?: unknown): NodeURL {
  const found = tryParse(url, base);
  if (found) return found;
  throw new TypeError(`Invalid URL: ${JSON.stringify(String(url).slice(0, 200))}`);
}

function tryParse(url: unknown, base?: unknown): NodeURL | null {
  const hasBase = base !== undefined;
  return hasBase ? NodeURL.parse(textOf(url), textOf(base)) : NodeURL.parse(textOf(url));
}

function textOf(value: unknown): string {
  return String(value);
}
