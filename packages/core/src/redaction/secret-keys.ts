/** What a field holds. */
export interface SecretKind {
  /** Such as `password`. */
  readonly label: string;
  /** `tokens` may also say how many: see `isCount`. */
  readonly mayBeCount: boolean;
}

/** What a field holds, by how its name ends; letters and digits only, in lower case. */
const ENDINGS: readonly (readonly [ending: string, label: string])[] = [
  ['password', 'password'],
  ['passwords', 'password'],
  ['passwd', 'password'],
  ['passphrase', 'password'],
  ['passphrases', 'password'],
  ['passcode', 'password'],
  ['passcodes', 'password'],
  ['passwordhash', 'password'],
  ['passwordhashes', 'password'],
  ['pwd', 'password'],
  ['secret', 'secret'],
  ['secrets', 'secret'],
  ['secretkey', 'secret'],
  ['secretkeys', 'secret'],
  ['secretvalue', 'secret'],
  ['signingkey', 'secret'],
  ['signingkeys', 'secret'],
  ['encryptionkey', 'secret'],
  ['encryptionkeys', 'secret'],
  ['masterkey', 'secret'],
  ['credential', 'secret'],
  ['credentials', 'secret'],
  ['connectionstring', 'secret'],
  ['connectionstrings', 'secret'],
  ['apikey', 'api-key'],
  ['apikeys', 'api-key'],
  ['accountkey', 'api-key'],
  ['accountkeys', 'api-key'],
  ['accesskey', 'api-key'],
  ['accesskeys', 'api-key'],
  ['accesskeyid', 'api-key'],
  ['subscriptionkey', 'api-key'],
  ['subscriptionkeys', 'api-key'],
  ['privatekey', 'private-key'],
  ['privatekeys', 'private-key'],
  ['token', 'token'],
  ['tokens', 'token'],
  ['authorization', 'authorization'],
  ['cookie', 'cookie'],
  ['cookies', 'cookie'],
  ['sessionid', 'session'],
  ['sessionids', 'session'],
];

/** Names that are a secret only as a whole. */
const WHOLE_NAMES = new Map([
  ['pass', 'password'],
  ['pin', 'password'],
  ['pw', 'password'],
  ['sig', 'secret'], // of a link that Azure signed
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

/** A whole number, perhaps grouped or rounded: `1200`, `1,200`, `1.2k`. Longer ones may be tokens. */
const COUNT = /^\d[\d.,_]{0,14}[kM]?$/;

const SHORTEST_KNOWN_NAME = 2;
const LONGEST_NAME = 64;
const CACHED_NAMES = 2_000;

/** Tells which field names hold a secret, and which kind. */
export class SecretKeys {
  /** No shorter name holds a secret. */
  readonly shortestName: number;
  readonly #own: ReadonlySet<string>;
  readonly #cache = new Map<string, SecretKind | undefined>();

  /** @param own Further names that hold secrets, however they are cased and joined. */
  constructor(own: readonly string[]) {
    this.#own = new Set(own.map(normalize));
    this.shortestName = Math.min(SHORTEST_KNOWN_NAME, ...[...this.#own].map((name) => name.length));
  }

  /** What a field of this name holds; undefined when it may be shown. */
  kindOf(name: string): SecretKind | undefined {
    const end = name.length > LONGEST_NAME ? name.slice(-LONGEST_NAME) : name;
    if (this.#cache.has(end)) return this.#cache.get(end);
    const kind = this.#find(normalize(end));
    if (this.#cache.size >= CACHED_NAMES) this.#cache.clear(); // names may come from outside, without end
    this.#cache.set(end, kind);
    return kind;
  }

  #find(name: string): SecretKind | undefined {
    if (this.#own.has(name)) return { label: 'custom', mayBeCount: false };
    const whole = WHOLE_NAMES.get(name);
    if (whole !== undefined) return { label: whole, mayBeCount: false };
    if (HARMLESS_ENDINGS.some((ending) => name.endsWith(ending))) return undefined;
    const label = ENDINGS.find(([ending]) => name.endsWith(ending))?.[1];
    return label === undefined ? undefined : { label, mayBeCount: name.endsWith('tokens') };
  }
}

/**
 * Whether plain data only counts: `1200`, `'1200'` (a header), `{ input: 900, output: 300 }`. The tokens that a language
 * model used are no secret, and share their name with those that are.
 */
export function isCount(value: unknown): boolean {
  if (typeof value === 'string') return COUNT.test(value);
  return isNumeric(value);
}

function isNumeric(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return typeof value === 'number';
  return Object.values(value).every(isNumeric);
}

/** `X-Api_Key` and `xApiKey` are one name. */
function normalize(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}
