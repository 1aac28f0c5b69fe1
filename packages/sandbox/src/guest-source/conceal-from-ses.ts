import type { AnyNode, TaggedTemplateExpression, Token } from 'acorn';
import { tokTypes } from 'acorn';
import type { ParsedCode } from './parse-guest-code.ts';
import { lineBreaksOf, type SourceEdits } from './source-edits.ts';
import { walk } from './walk.ts';

/**
 * SES refuses a source by regular expressions over its text: whatever looks like a dynamic import, a direct `eval` or an
 * HTML comment, be it in a string. The gate has looked at the tree, so what is left of these is harmless: written
 * another way, with the same meaning, it passes. The same patterns (SES 2.3, `transforms.js`), narrowed to one character.
 */
const SES_REFUSES =
  /(?<=^|[^.]|\.\.\.)\bimport(?=\s*(?:\(|\/[/*]))|(?<=^|[^.])\beval(?=\s*\()|<(?=!--)|-(?=->)/g;
/** Would let a guest choose the file name in its stack traces. */
const SOURCE_URL = /[#@](?=\s*source(?:Mapping)?URL\s*=)/g;

export function isRefusedBySes(code: string): boolean {
  return code.search(SES_REFUSES) >= 0;
}

export function namesSourceUrl(code: string): boolean {
  return code.search(SOURCE_URL) >= 0;
}

/** Names of the two helpers that the rewritten code may call; they must be free in it. */
export interface ConcealNames {
  readonly regExp: string;
  readonly template: string;
}

/** Which helpers the wrapper has to declare. */
export interface ConcealOutcome {
  readonly needsRegExp: boolean;
  readonly needsTemplate: boolean;
}

export function concealFromSes(
  code: string,
  parsed: ParsedCode,
  edits: SourceEdits,
  names: ConcealNames,
): ConcealOutcome {
  concealSourceUrls(code, parsed, edits);
  if (!isRefusedBySes(code)) return { needsRegExp: false, needsTemplate: false };
  const tagged = taggedTemplatesIn(parsed.program);
  for (const template of tagged.nodes) {
    rewriteTaggedTemplate(code, template, tagged.callees.has(template), edits, names);
  }

  let needsRegExp = false;
  let lastRegExp: Token | undefined;
  for (const { index } of code.matchAll(SES_REFUSES)) {
    if (rangeAt(parsed.comments, index)) {
      edits.replace(index + 1, index + 2, '_');
      continue;
    }
    const token = rangeAt(parsed.tokens, index);
    if (token?.type === tokTypes.regexp) {
      needsRegExp = true;
      if (token === lastRegExp) continue; // written anew as a whole, once
      lastRegExp = token;
      edits.replace(token.start, token.end, ` ${regExpCall(code, token, names)}`);
    } else if (token?.type === tokTypes.string || token?.type === tokTypes.template) {
      edits.replace(index + 1, index + 2, escaped(code, index + 1));
    } else if (/[a-z]/.test(code.charAt(index))) {
      // A property or method of that name: identifiers may be escaped too.
      edits.replace(index + 1, index + 2, escaped(code, index + 1).replace('\\x', '\\u00'));
    } else {
      edits.insert(index + 2, ' '); // Operators: `a<!--b` and `i-->0`.
    }
  }
  return { needsRegExp, needsTemplate: tagged.nodes.length > 0 };
}

/** Source text of a helper for each name; both reach the intrinsics without a name that a guest could shadow. */
export function concealHelpers(
  { needsRegExp, needsTemplate }: ConcealOutcome,
  names: ConcealNames,
): string {
  const regExp = needsRegExp ? `const ${names.regExp}=/./.constructor;` : '';
  const template = needsTemplate
    ? `const ${names.template}=(c,r)=>{const{defineProperty:d,freeze:f}={}.constructor;d(c,"raw",{value:f(r)});return f(c)};`
    : '';
  return regExp + template;
}

function concealSourceUrls(code: string, { comments }: ParsedCode, edits: SourceEdits): void {
  for (const { index } of code.matchAll(SOURCE_URL)) {
    if (rangeAt(comments, index)) edits.replace(index, index + 1, ' ');
  }
}

/** A literal's `source` shows its text, so an escape inside it would be seen; a pattern built from a string is not. */
function regExpCall(code: string, token: Token, names: ConcealNames): string {
  const text = code.slice(token.start, token.end);
  const slash = text.lastIndexOf('/');
  return `new ${names.regExp}(${quoted(text.slice(1, slash))},"${text.slice(slash + 1)}")`;
}

function taggedTemplatesIn(program: AnyNode): {
  nodes: TaggedTemplateExpression[];
  callees: Set<AnyNode>;
} {
  const nodes: TaggedTemplateExpression[] = [];
  const callees = new Set<AnyNode>();
  walk(program, (node) => {
    if (node.type === 'NewExpression') callees.add(leftmostTemplate(node.callee));
    if (node.type !== 'TaggedTemplateExpression') return;
    if (node.quasi.quasis.some(({ value }) => isRefusedBySes(value.raw))) nodes.push(node);
  });
  return { nodes, callees };
}

function leftmostTemplate(callee: AnyNode): AnyNode {
  let node = callee;
  while (node.type === 'MemberExpression') node = node.object;
  return node;
}

/** A tag sees the raw text, which no escape leaves alone: call the tag with what it would have been given. */
function rewriteTaggedTemplate(
  code: string,
  { start, end, quasi }: TaggedTemplateExpression,
  isCallee: boolean,
  edits: SourceEdits,
  names: ConcealNames,
): void {
  const cooked = quasi.quasis.map(({ value }) =>
    value.cooked == null ? 'void 0' : quoted(value.cooked),
  );
  const raw = quasi.quasis.map(({ value }) => quoted(value.raw));
  const strings = `${names.template}([${cooked.join(',')}],[${raw.join(',')}])`;
  let from = quasi.start;
  let opening = `(${strings}`;
  for (const expression of quasi.expressions) {
    edits.replace(
      from,
      expression.start,
      `${opening},(${lineBreaksOf(code.slice(from, expression.start))}`,
    );
    from = expression.end;
    opening = ')';
  }
  edits.replace(from, quasi.end, `${opening})${lineBreaksOf(code.slice(from, quasi.end))}`);
  if (isCallee) {
    // `new tag`…`` makes a new of what the tag returns; `new tag(…)` would make a new tag.
    edits.insert(start, '(');
    edits.insert(end, ')');
  }
}

/** A string literal of the text that SES lets pass. */
function quoted(text: string): string {
  const literal = JSON.stringify(text);
  const pieces: string[] = [];
  let from = 0;
  for (const { index } of literal.matchAll(SES_REFUSES)) {
    pieces.push(literal.slice(from, index + 1), escaped(literal, index + 1));
    from = index + 2;
  }
  return pieces.join('') + literal.slice(from);
}

function escaped(text: string, at: number): string {
  return `\\x${text.charCodeAt(at).toString(16).padStart(2, '0')}`;
}

function rangeAt<T extends { start: number; end: number }>(
  ranges: readonly T[],
  offset: number,
): T | undefined {
  let low = 0;
  let high = ranges.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const range = ranges[middle];
    if (range === undefined) return undefined;
    if (offset < range.start) high = middle - 1;
    else if (offset >= range.end) low = middle + 1;
    else return range;
  }
  return undefined;
}
