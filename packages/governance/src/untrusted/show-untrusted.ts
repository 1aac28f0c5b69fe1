export interface ShowOptions {
  /** Characters shown; what is left out is counted in words at the end. Default 2,000. */
  maxChars?: number;
  /** Whether line feeds stay as they are, for text whose own ones are escaped already, such as JSON. Default false. */
  keepLines?: boolean;
}

const DEFAULT_MAX_CHARS = 2_000;

/*
 * What a reader cannot see, or what moves what he sees: controls, formats (bidirectional overrides, zero-width characters,
 * tags), characters that fonts leave out, spaces that look like a space or like none, private and unassigned ones, halves of
 * pairs, the brackets of the marks themselves, and accents piled higher than any language does.
 */
const UNSEEN =
  /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800⟦⟧]|(?! )\p{Zs}|(?<=\p{M}{4})\p{M}/gu;

/**
 * Text of which nobody knows who wrote it, made fit for a person to judge: one line, and each character that hides or
 * reorders others as a mark such as `⟦U+202E⟧`. It is still text: escape it for HTML. Letters that only look like others
 * are not marked.
 * @example
 * showUntrusted('pay \u202Elive'); // 'pay ⟦U+202E⟧live'
 */
export function showUntrusted(text: string, options: ShowOptions = {}): string {
  const { maxChars = DEFAULT_MAX_CHARS, keepLines = false } = options;
  const kept = text.length > maxChars ? text.slice(0, wholeUpTo(text, maxChars)) : text;
  const shown = kept.replaceAll(UNSEEN, (character) =>
    keepLines && character === '\n' ? character : markOf(character),
  );
  const leftOut = text.length - kept.length;
  return leftOut === 0 ? shown : `${shown}… (${leftOut} characters left out)`;
}

/** A pair is not cut in two. */
function wholeUpTo(text: string, length: number): number {
  const last = text.charCodeAt(length - 1);
  return last >= 0xd8_00 && last <= 0xdb_ff ? length - 1 : length;
}

function markOf(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return `⟦U+${hex}⟧`;
}
