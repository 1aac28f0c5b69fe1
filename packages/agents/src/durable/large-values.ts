import { hash } from 'node:crypto';

/*
 * What is large is kept once, beside the rows that are read all the time, which say where it is. Text that refers to it begins
 * with @, as no JSON does; in it, so does each string that names what is kept elsewhere, and a string that began so anyway
 * begins with one more.
 */

/** In characters of JSON, about 256 KB. What is longer is kept elsewhere. */
const LONGEST_INLINE = 262_144;

const MARK = '@';

/**
 * Takes out of a JSON text what is large: of values within values the innermost, so that the same large answer is kept once,
 * whatever is said around it.
 * @param put Keeps what was taken out, and is told the same again for what is the same.
 * @returns What is to be kept in its place; the text itself when it is not long.
 */
export function takeOutLarge(text: string, put: (digest: string, text: string) => void): string {
  if (text.length <= LONGEST_INLINE) return text;
  const { value } = new Taking(put).take(JSON.parse(text));
  return MARK + JSON.stringify(value);
}

/** Puts in again what was taken out. @param get Throws when it is not there. */
export function putInLarge(text: string, get: (digest: string) => string): string {
  if (!text.startsWith(MARK)) return text;
  return JSON.stringify(whole(text.slice(MARK.length), get));
}

/**
 * As `putInLarge`, of many texts, where what was taken out is far away.
 * @param read Says what there is of all these; not asked when nothing was taken out. Throws when something is not there.
 */
export async function putInLargeFrom(
  texts: readonly string[],
  read: (digests: readonly string[]) => Promise<ReadonlyMap<string, string>>,
): Promise<string[]> {
  const there = new Map<string, string>();
  let named = new Set(
    texts.flatMap((text) => (text.startsWith(MARK) ? namesIn(text.slice(MARK.length)) : [])),
  );
  while (named.size > 0) {
    const found = await read([...named]);
    for (const [digest, text] of found) there.set(digest, text);
    named = new Set([...found.values()].flatMap(namesIn).filter((digest) => !there.has(digest)));
  }
  return texts.map((text) => putInLarge(text, (digest) => there.get(digest) ?? ''));
}

/** What is named in a text that refers to others, itself without the mark. */
function namesIn(text: string): string[] {
  const names: string[] = [];
  JSON.parse(text, (_key, value: unknown) => {
    if (typeof value !== 'string' || !value.startsWith(MARK)) return value;
    const rest = value.slice(MARK.length);
    if (!rest.startsWith(MARK)) names.push(rest);
    return value;
  });
  return names;
}

function whole(text: string, get: (digest: string) => string): unknown {
  return JSON.parse(text, (_key, value: unknown) => {
    if (typeof value !== 'string' || !value.startsWith(MARK)) return value;
    const rest = value.slice(MARK.length);
    return rest.startsWith(MARK) ? rest : whole(get(rest), get);
  });
}

interface Taken {
  value: unknown;
  /** Characters of its JSON, about. */
  length: number;
}

class Taking {
  readonly #put: (digest: string, text: string) => void;

  constructor(put: (digest: string, text: string) => void) {
    this.#put = put;
  }

  take(value: unknown): Taken {
    const taken = this.#takeWithin(value);
    if (taken.length <= LONGEST_INLINE) return taken;
    const text = JSON.stringify(taken.value);
    const digest = hash('sha256', text);
    this.#put(digest, text);
    return { value: MARK + digest, length: digest.length + 3 };
  }

  #takeWithin(value: unknown): Taken {
    if (typeof value === 'string') {
      const kept = value.startsWith(MARK) ? MARK + value : value;
      return { value: kept, length: kept.length + 2 };
    }
    if (typeof value !== 'object' || value === null) {
      return { value, length: String(value).length };
    }
    return Array.isArray(value) ? this.#takeFromList(value) : this.#takeFromObject(value);
  }

  #takeFromList(list: readonly unknown[]): Taken {
    const taken = list.map((value) => this.take(value));
    return {
      value: taken.map(({ value }) => value),
      length: taken.reduce((sum, { length }) => sum + length + 1, 2),
    };
  }

  #takeFromObject(object: object): Taken {
    let length = 2;
    // Not an object that is filled: a field may be named __proto__.
    const fields = Object.entries(object).map(([key, value]: [string, unknown]) => {
      const taken = this.take(value);
      length += key.length + 4 + taken.length;
      return [key, taken.value];
    });
    return { value: Object.fromEntries(fields), length };
  }
}
