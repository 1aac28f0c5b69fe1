import { redactText } from '@buddy/core';

/** Shorter values (a port, `true`, a user's name) are in too many lines that are no secret. */
const SHORTEST_HIDDEN_VALUE = 8;

/**
 * The values of variables that must not be shown, the longest first: one may be a part of another. A value of several lines
 * is written line by line, so each of these counts by itself.
 */
export function hiddenValues(values: Iterable<string>): readonly string[] {
  const lines = [...values].flatMap((value) => value.split(/\r?\n/)).map((line) => line.trim());
  const longEnough = lines.filter((line) => line.length >= SHORTEST_HIDDEN_VALUE);
  return [...new Set(longEnough)].toSorted((a, b) => b.length - a.length);
}

/** In place of the lines of a private key. */
export const PRIVATE_KEY = '[redacted:private-key]';

const BEGINS_KEY = /-----BEGIN [A-Z0-9 ]{0,64}PRIVATE KEY/;
const ENDS_KEY = /-----END [A-Z0-9 ]{0,64}PRIVATE KEY/;

/** An RSA key of 16 384 bits has 197 lines of 64 characters; what is longer is no key, but somebody who spoke of one. */
const LONGEST_KEY_LINES = 256;
const LONGEST_KEY_CHARACTERS = 32_768;

/** Around base64 in source code and YAML. */
const QUOTING = /\\[nr]|["'`,;\\]/g;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
/** A word that is no word of people, and no path: a logger may have put time and level in front. */
const LONG_BASE64 = /(?:^|[\s"'`])[A-Za-z0-9+/]{40,}={0,2}(?:$|[\s"'`,\\])/;
/** What stands before the base64 in RFC 1421 and in PGP's armour, and PGP's checksum behind it. */
const ARMOUR =
  /^\s*(?:(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset|MessageID): |=[A-Za-z0-9+/]{4}\s*$)/;

interface KeyBlock {
  lines: number;
  characters: number;
  /** Of which nothing was shown, nor told yet. */
  leftOut: number;
  /** Something else came in between. What surely is base64 may still be of the key: two could write to one stream. */
  isInterrupted: boolean;
}

/** Takes the secrets out of one stream of lines. A private key goes over many, none of which looks like a secret by itself. */
export class SecretFilter {
  readonly #values: readonly string[];
  #key: KeyBlock | undefined;

  /** @param values From `hiddenValues`; replaced wherever they occur. */
  constructor(values: readonly string[]) {
    this.#values = values;
  }

  /** What may be shown in place of the line: none, or several. */
  linesFor(raw: string): readonly string[] {
    if (BEGINS_KEY.test(raw)) {
      const cut = this.end();
      if (!ENDS_KEY.test(raw)) this.#key = newKeyBlock();
      return [...cut, PRIVATE_KEY];
    }
    return this.#key ? this.#within(this.#key, raw) : [this.#withoutSecrets(raw)];
  }

  /** The stream is over. @returns A word on what was left out of a key that had no end, if anything was. */
  end(): readonly string[] {
    const told = this.#key ? tellOfCut(this.#key) : [];
    this.#key = undefined;
    return told;
  }

  #within(key: KeyBlock, raw: string): readonly string[] {
    if (ENDS_KEY.test(raw)) {
      this.#key = undefined;
      return key.isInterrupted ? [PRIVATE_KEY] : [];
    }
    key.lines += 1;
    key.characters += raw.length;
    if (key.lines > LONGEST_KEY_LINES || key.characters > LONGEST_KEY_CHARACTERS) {
      return [...this.end(), this.#withoutSecrets(raw)];
    }
    if (key.isInterrupted) {
      return LONG_BASE64.test(raw) ? [PRIVATE_KEY] : [this.#withoutSecrets(raw)];
    }
    if (mayBeOfKey(raw)) {
      key.leftOut += 1;
      return [];
    }
    key.isInterrupted = true;
    return [...tellOfCut(key), this.#withoutSecrets(raw)];
  }

  #withoutSecrets(raw: string): string {
    let text = raw;
    for (const value of this.#values) text = text.replaceAll(value, '[redacted:environment]');
    return redactText(text);
  }
}

function newKeyBlock(): KeyBlock {
  return { lines: 0, characters: 0, leftOut: 0, isInterrupted: false };
}

function tellOfCut(key: KeyBlock): readonly string[] {
  const { leftOut } = key;
  key.leftOut = 0;
  return leftOut === 0 ? [] : [`[a private key began and did not end; lines left out: ${leftOut}]`];
}

function mayBeOfKey(raw: string): boolean {
  const isBase64 = BASE64.test(raw.replaceAll(QUOTING, '').trim());
  return isBase64 || LONG_BASE64.test(raw) || ARMOUR.test(raw);
}
