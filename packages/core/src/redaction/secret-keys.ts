/** What a field holds, by how its name ends; letters and digits only, in lower case. */
const ENDINGS: readonly (readonly [ending: string, label: string])[] = [
  ['password', 'password'],
  ['passwd', 'password'],
  ['passphrase', 'password'],
  ['passcode', 'password'],
  ['passwordhash', 'password'],
  ['pwd', 'password'],
  ['secret', 'secret'],
  ['secrets', 'secret'],
  ['secretkey', 'secret'],
  ['secretvalue', 'secret'],
  ['signingkey', 'secret'],
  ['encryptionkey', 'secret'],
  ['masterkey', 'secret'],
  ['credential', 'secret'],
  ['credentials', 'secret'],
  ['connectionstring', 'secret'],
  ['apikey', 'api-key'],
  ['apikeys', 'api-key'],
  ['accesskey', 'api-key'],
  ['accesskeyid', 'api-key'],
  ['subscriptionkey', 'api-key'],
  ['privatekey', 'private-key'],
  ['token', 'token'],
  ['accesstokens', 'token'],
  ['refreshtokens', 'token'],
  ['authorization', 'authorization'],
  ['cookie', 'cookie'],
  ['cookies', 'cookie'],
  ['sessionid', 'session'],
];

/** Names that are a secret only as a whole. */
const WHOLE_NAMES = new Map([
  ['pass', 'password'],
  ['pin', 'password'],
  ['auth', 'authorization'],
  ['bearer', 'token'],
  ['jwt', 'token'],
  ['otp', 'token'],
  ['cvv', 'secret'],
  ['cvc', 'secret'],
  ['pgpassword', 'password'],
  ['mysqlpwd', 'password'],
  ['xamzsignature', 'secret'],
  ['xgoogsignature', 'secret'],
]);

/** Tokens that mark a place in a list. */
const HARMLESS_ENDINGS = [
  'pagetoken',
  'nexttoken',
  'continuationtoken',
  'skiptoken',
  'deltatoken',
  'synctoken',
];

const SHORTEST_KNOWN_NAME = 3;
const LONGEST_NAME = 64;
const CACHED_NAMES = 2_000;

/** Tells which field names hold a secret, and which kind. */
export class SecretKeys {
  /** No shorter name holds a secret. */
  readonly shortestName: number;
  readonly #own: ReadonlySet<string>;
  readonly #cache = new Map<string, string | undefined>();

  /** @param own Further names that hold secrets, however they are cased and joined. */
  constructor(own: readonly string[]) {
    this.#own = new Set(own.map(normalize));
    this.shortestName = Math.min(SHORTEST_KNOWN_NAME, ...[...this.#own].map((name) => name.length));
  }

  /** What a field of this name holds, such as `password`; undefined when it may be shown. */
  labelOf(name: string): string | undefined {
    const end = name.length > LONGEST_NAME ? name.slice(-LONGEST_NAME) : name;
    if (this.#cache.has(end)) return this.#cache.get(end);
    const label = this.#find(normalize(end));
    if (this.#cache.size >= CACHED_NAMES) this.#cache.clear(); // names may come from outside, without end
    this.#cache.set(end, label);
    return label;
  }

  #find(name: string): string | undefined {
    if (this.#own.has(name)) return 'custom';
    const whole = WHOLE_NAMES.get(name);
    if (whole !== undefined) return whole;
    if (HARMLESS_ENDINGS.some((ending) => name.endsWith(ending))) return undefined;
    return ENDINGS.find(([ending]) => name.endsWith(ending))?.[1];
  }
}

/** `X-Api_Key` and `xApiKey` are one name. */
function normalize(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}
