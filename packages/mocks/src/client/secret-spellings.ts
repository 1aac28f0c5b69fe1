/**
 * Finds secrets however they are spelt: as they are, percent- and form-encoded, escaped as in JSON or HTML, also one inside
 * the other, and in base64 with whatever stands before and behind them (`user:secret`). Undefined when there are none.
 */
export function spellingsOf(secrets: readonly string[]): RegExp | undefined {
  // The longest first, for one may begin with another.
  const given = [...new Set(secrets)].filter(Boolean).toSorted((a, b) => b.length - a.length);
  if (given.length === 0) return undefined;
  const patterns = given.flatMap((secret) => [spelt(secret), ...inBase64(secret)]);
  return new RegExp([...new Set(patterns)].join('|'), 'g');
}

function spelt(text: string): string {
  // Backslashes in a row are taken together: each by itself, they could be told apart in ever so many ways.
  const parts = text.match(/\\+|[^\\]/gu) ?? [];
  return parts
    .map((part) => (part.startsWith('\\') ? speltBackslashes(part.length) : speltCharacter(part)))
    .join('');
}

/** An escape within an escape, as of JSON in JSON, has more backslashes; a percent sign may be encoded itself. */
function speltBackslashes(count: number): string {
  return `(?:${encodings('\\')
    .map((encoding) => `(?:${encoding}){${count}}`)
    .concat(`\\\\{${count},${count * 4}}`)
    .join('|')})`;
}

function speltCharacter(character: string): string {
  if (/^[A-Za-z0-9]$/.test(character)) return character; // never encoded
  const short = SHORT_ESCAPES[character];
  const entity = ENTITIES[character];
  const ways = [
    ...encodings(character),
    ...(short === undefined ? [] : [`\\\\{1,3}${short}`]),
    ...(entity === undefined ? [] : [`&(?:amp;)?${entity};`]),
    ...(character === ' ' ? ['\\+'] : []),
    // What is not encoded comes last: it is the beginning of some of the others.
    `\\\\{0,3}${literal(character)}`,
  ];
  return `(?:${ways.join('|')})`;
}

/** Those that any character may have: by JSON, in addresses, by HTML. */
function encodings(character: string): readonly string[] {
  const code = character.codePointAt(0) ?? 0;
  const units = character.split('').map((unit) => hexDigits(unit.charCodeAt(0), 4));
  const bytes = [...Buffer.from(character)].map((byte) => hexDigits(byte, 2));
  return [
    units.map((unit) => `\\\\{1,3}u${unit}`).join(''),
    bytes.map((byte) => `%(?:25){0,2}${byte}`).join(''),
    `&(?:amp;)?#(?:0*${code}|[xX]0*${hexDigits(code, 1)});`,
  ];
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '\b': 'b',
  '\f': 'f',
  '\n': 'n',
  '\r': 'r',
  '\t': 't',
};
const ENTITIES: Readonly<Record<string, string>> = {
  '"': 'quot',
  "'": 'apos',
  '&': 'amp',
  '<': 'lt',
  '>': 'gt',
};

function literal(character: string): string {
  return character.replaceAll(/[^A-Za-z0-9]/g, (unit) => `\\u${toHex(unit.charCodeAt(0), 4)}`);
}

function toHex(number: number, digits: number): string {
  return number.toString(16).padStart(digits, '0');
}

/** Of either case. */
function hexDigits(number: number, digits: number): string {
  return toHex(number, digits).replaceAll(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
}

/** A secret so short would be found in any base64 at all. */
const SHORTEST_BASE64 = 3;
const IN_BASE64 = 'A-Za-z0-9+/_-';

/** As itself, and as in the form and the JSON that may have been sent. */
function inBase64(secret: string): readonly string[] {
  const asForm = new URLSearchParams({ '': secret }).toString().slice(1);
  const asJson = JSON.stringify(secret).slice(1, -1);
  return [...new Set([secret, asForm, asJson])].flatMap((text) =>
    [0, 1, 2].flatMap((bytesBefore) => base64Behind(bytesBefore, Buffer.from(text))),
  );
}

/**
 * Three bytes make four characters, so what a secret looks like depends on where it begins. The characters that it shares
 * with its neighbours are found beside those that are its own.
 */
function base64Behind(bytesBefore: number, secret: Buffer): readonly string[] {
  const bytes = Buffer.concat([Buffer.alloc(bytesBefore), secret]);
  const firstOwn = Math.ceil((bytesBefore * 8) / 6);
  const firstShared = Math.floor((bytes.length * 8) / 6);
  const own = bytes.toString('base64').slice(firstOwn, firstShared);
  if (own.length < SHORTEST_BASE64) return [];
  const pattern = own
    .replaceAll('+', `(?:-|${speltCharacter('+')})`)
    .replaceAll('/', `(?:_|${speltCharacter('/')})`);
  return [`[${IN_BASE64}]?${pattern}[${IN_BASE64}]?=*`];
}
