import { Parser } from 'acorn';

declare module 'acorn' {
  interface Parser {
    readonly start: number;
    validateRegExpPattern(state: { readonly source: string }): void;
  }
}

/** `\p{…}` in the patterns of a program, all together. */
const PROPERTY = /\\p\{/gi;
const MAX_PROPERTIES = 64;

/** A program names more Unicode properties than are read. */
export class CostlyPatterns extends Error {
  readonly offset: number;

  constructor(offset: number) {
    super('The regular expressions name too many Unicode properties');
    this.offset = offset;
  }
}

/**
 * acorn has the engine compile each pattern. A property of strings takes it milliseconds and some hundred kilobytes outside
 * the heap, which no deadline cuts short and no limit of a thread counts: 64 KB of them took gigabytes.
 */
export class BoundedPatterns extends Parser {
  #properties = 0;

  override validateRegExpPattern(state: { readonly source: string }): void {
    this.#properties += state.source.match(PROPERTY)?.length ?? 0;
    if (this.#properties > MAX_PROPERTIES) throw new CostlyPatterns(this.start);
    super.validateRegExpPattern(state);
  }
}
