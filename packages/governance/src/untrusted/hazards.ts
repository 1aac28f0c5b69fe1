import { showUntrusted } from './show-untrusted.ts';

/** What a person should be told of a text before he believes his eyes. */
export type TextHazard =
  /** Characters that nobody sees, or that reorder what one sees. */
  | 'hidden_characters'
  /** A path that leads out of its folder. */
  | 'path_traversal'
  /** Looks like HTML or XML: here it is text, elsewhere it may not be. */
  | 'markup';

const CLIMBS = /(?:^|[\\/])\.\.(?:[\\/]|$)/;
const MARKUP = /<(?:[a-z!/?]|%)/i;

/**
 * Looks at a text of which nobody knows who wrote it. It changes nothing: what is found is for people to judge.
 * @example
 * hazardsOf('../../etc/passwd'); // ['path_traversal']
 */
export function hazardsOf(text: string): TextHazard[] {
  const hazards: TextHazard[] = [];
  if (hidesSomething(text)) hazards.push('hidden_characters');
  if (CLIMBS.test(text) || CLIMBS.test(percentDecoded(text))) hazards.push('path_traversal');
  if (MARKUP.test(text)) hazards.push('markup');
  return hazards;
}

function hidesSomething(text: string): boolean {
  return showUntrusted(text, { maxChars: Infinity, keepLines: true }) !== text;
}

/** As a server would read it, twice: what is encoded twice is decoded twice by some. */
function percentDecoded(text: string): string {
  return decodedOnce(decodedOnce(text));
}

function decodedOnce(text: string): string {
  return text.replaceAll(/%(2e|2f|5c|25)/gi, (_escape, hex: string) =>
    String.fromCodePoint(Number.parseInt(hex, 16)),
  );
}
