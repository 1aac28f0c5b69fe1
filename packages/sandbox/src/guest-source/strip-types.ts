import { tokenizer, type TokenType, tokTypes } from 'acorn';
import { offsetAt } from './code-frame.ts';
import { type StripperAnswer, TypeStripper, UNSUPPORTED } from './type-stripper.ts';

export type StripOutcome =
  | { readonly kind: 'stripped'; readonly code: string }
  | { readonly kind: 'invalid' | 'unsupported'; readonly message: string; readonly offset: number };

/**
 * Blanks out TypeScript's types; lines and columns stay. What TypeScript would turn into code (enums, parameter
 * properties, namespaces with values) is `unsupported`. Never throws. The first call costs some 40 ms and 40 MB.
 */
export function stripTypes(code: string): StripOutcome {
  try {
    if (mayExhaustTheStripper(code)) {
      return { kind: 'unsupported', message: 'The TypeScript is nested too deeply', offset: 0 };
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { kind: 'invalid', message: error.message.replace(/ \(\d+:\d+\)$/, ''), offset: 0 };
  }
  const answer = stripper.strip(code);
  switch (answer.kind) {
    case 'stripped':
      return answer;
    case 'failed':
      return failureOf(answer, code);
    case 'too-slow':
      return { kind: 'unsupported', message: 'The TypeScript takes too long to read', offset: 0 };
  }
}

const stripper = new TypeStripper();

function failureOf(
  { isSyntaxError, errorCode, message, stack }: Extract<StripperAnswer, { kind: 'failed' }>,
  code: string,
): StripOutcome {
  const said = (message.split('\n')[0] ?? '').trim().replace(' in strip-only mode', '');
  const offset = offsetIn(stack, code);
  if (errorCode === UNSUPPORTED) return { kind: 'unsupported', message: said, offset };
  if (isSyntaxError) return { kind: 'invalid', message: said, offset };
  // The stripper itself failed (ERR_INTERNAL_ASSERTION): what it says of Node's insides helps nobody here.
  return { kind: 'unsupported', message: 'The TypeScript could not be read', offset: 0 };
}

/** The stripper tells the place only in its stack: `:LINE`, some lines, carets. Elsewhere: the start of the code. */
function offsetIn(stack: string, code: string): number {
  const place = /^:(\d+)\n(?:.*\n){1,9}?( *)\^+\n/.exec(stack);
  if (place === null) return 0;
  return offsetAt(code, { line: Number(place[1]), column: (place[2] ?? '').length + 1 });
}

/** Half of what was seen to break it (Node 26: 1 500 parentheses). */
const MAX_RECURSION = 700;

const openings = new Set([
  tokTypes.braceL,
  tokTypes.bracketL,
  tokTypes.parenL,
  tokTypes.dollarBraceL,
]);
const closings = new Set([tokTypes.braceR, tokTypes.bracketR, tokTypes.parenR]);
const operands = new Set([
  tokTypes.num,
  tokTypes.regexp,
  tokTypes.string,
  tokTypes.name,
  tokTypes.privateId,
  tokTypes.eof,
  tokTypes.template,
  tokTypes.invalidTemplate,
  tokTypes.backQuote,
  tokTypes.ellipsis,
]);
const newStatement = new Set(['const', 'var', 'import']);

/** What one pair of brackets holds that a parser may recurse on, since the last separator that ends such a chain. */
interface Level {
  operators: number;
  angles: number; // `A<B, A<B, …`: a comma ends no chain of type arguments
  elses: number; // `if (a) b; else if (c) d; else …`: nor does a semicolon one of these
}

/**
 * Node's stripper is WebAssembly: past its stack it fails for good, for every later call of the process. So its recursion
 * is bounded from above beforehand: open brackets, plus operators and keywords since the last separator in each of them.
 */
function mayExhaustTheStripper(code: string): boolean {
  const levels: Level[] = [];
  let level: Level = { operators: 0, angles: 0, elses: 0 };
  let closedOff = 0;
  for (const { type } of { [Symbol.iterator]: () => tokensOf(code) }) {
    if (openings.has(type)) {
      levels.push(level);
      closedOff += sizeOf(level) + 1;
      level = { operators: 0, angles: 0, elses: 0 };
    } else if (closings.has(type)) {
      level = levels.pop() ?? level;
      closedOff = Math.max(0, closedOff - sizeOf(level) - 1);
    } else if (type === tokTypes.semi || newStatement.has(type.keyword ?? '')) {
      level.operators = 0;
      level.angles = 0;
    } else if (type === tokTypes.comma) {
      level.operators = 0;
    } else if (type === tokTypes.relational) {
      level.angles += 1;
    } else if (type.keyword === 'else') {
      level.elses += 1;
    } else if (!operands.has(type)) {
      level.operators += 1;
    }
    if (closedOff + sizeOf(level) > MAX_RECURSION) return true;
  }
  return false;
}

function sizeOf({ operators, angles, elses }: Level): number {
  return operators + angles + elses;
}

function tokensOf(code: string): Iterator<{ type: TokenType }> {
  return tokenizer(code, { ecmaVersion: 'latest', sourceType: 'module' })[Symbol.iterator]();
}
