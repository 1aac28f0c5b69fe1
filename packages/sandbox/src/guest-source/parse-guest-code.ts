import {
  type Comment,
  type Expression,
  type Options,
  Parser,
  type Program,
  type Token,
  tokTypes,
  type TokenType,
} from 'acorn';

export interface ParsedCode {
  readonly kind: 'parsed';
  readonly program: Program;
  readonly tokens: readonly Token[];
  readonly comments: readonly Comment[];
}

export type ParseOutcome =
  | ParsedCode
  | { readonly kind: 'invalid'; readonly message: string; readonly offset: number }
  | { readonly kind: 'too-deep'; readonly offset: number }
  | { readonly kind: 'forbidden-import'; readonly form: string; readonly offset: number };

/**
 * Parses JavaScript as the body of an async module function: strict, with top-level `await` and `return`.
 * Never throws, whatever the text: recursion is counted, and a stack that overflows all the same is an answer too.
 */
export function parseGuestCode(code: string, limits: ParseLimits): ParseOutcome {
  const asProgram = () => parseAs((parser) => parser.parse(), code, limits);
  const asExpression = () => parseAs((parser) => parser.parseOnlyExpression(), code, limits);
  if (OPENS_LIKE_AN_OBJECT.test(code)) {
    const outcome = asExpression();
    return outcome.kind === 'invalid' ? asProgram() : outcome;
  }
  const outcome = asProgram();
  if (outcome.kind !== 'invalid' || !OPENS_LIKE_A_FUNCTION.test(code)) return outcome;
  const expression = asExpression();
  return expression.kind === 'invalid' ? outcome : expression;
}

export interface ParseLimits {
  /** Expressions and statements inside one another. */
  readonly maxDepth: number;
  /** Tokens are only kept on request; they cost more than the tree. */
  readonly withTokens: boolean;
}

// Meant as values, though a statement that begins so is a block, or wants a name.
const OPENS_LIKE_AN_OBJECT = /^\s*\{/;
const OPENS_LIKE_A_FUNCTION = /^\s*(?:async\s+)?function\b/;

function parseAs(
  parse: (parser: GuestParser) => Program,
  code: string,
  { maxDepth, withTokens }: ParseLimits,
): ParseOutcome {
  const tokens: Token[] = [];
  const comments: Comment[] = [];
  const parser = new GuestParser(code, maxDepth, {
    onComment: comments,
    ...(withTokens && { onToken: tokens }),
  });
  try {
    return { kind: 'parsed', program: parse(parser), tokens, comments };
  } catch (error) {
    if (error instanceof ParseRefusal) return error.outcome;
    // The stack of the caller decides how deep acorn may go; `maxDepth` normally answers long before.
    if (error instanceof RangeError || isStackOverflow(error)) {
      return { kind: 'too-deep', offset: parser.start };
    }
    if (error instanceof SyntaxError) {
      const offset = 'pos' in error && typeof error.pos === 'number' ? error.pos : parser.start;
      return { kind: 'invalid', message: error.message.replace(/ \(\d+:\d+\)$/, ''), offset };
    }
    throw error;
  }
}

/** acorn catches some overflows itself, and says so in a syntax error. */
function isStackOverflow(error: unknown): boolean {
  return error instanceof SyntaxError && error.message.startsWith('Not enough stack space');
}

class ParseRefusal extends Error {
  readonly outcome: ParseOutcome;
  constructor(outcome: ParseOutcome) {
    super(outcome.kind);
    this.outcome = outcome;
  }
}

// acorn's plugin interface is to override these methods; its types leave them out.
declare module 'acorn' {
  interface Parser {
    readonly type: TokenType;
    readonly start: number;
    nextToken(): void;
    parseExpression(): Expression;
    parseStatement(...rest: readonly unknown[]): unknown;
    parseMaybeAssign(...rest: readonly unknown[]): unknown;
    parseMaybeUnary(...rest: readonly unknown[]): unknown;
    parseExprOp(...rest: readonly unknown[]): unknown;
    parseBindingAtom(...rest: readonly unknown[]): unknown;
    parseSubscript(base: Expression, ...rest: readonly unknown[]): Expression;
    parseExprImport(...rest: readonly unknown[]): unknown;
    parseImport(...rest: readonly unknown[]): unknown;
  }
}

/** `a + b + c` recurses once an operand, and `!!a` once an operator; long chains of them are no deep nesting. */
const CHAIN_FACTOR = 10;

class GuestParser extends Parser {
  readonly #maxDepth: number;
  #depth = 0;
  #chained = 0;

  constructor(code: string, maxDepth: number, options: Omit<Options, 'ecmaVersion'>) {
    super(
      {
        ecmaVersion: 'latest',
        sourceType: 'module',
        allowReturnOutsideFunction: true,
        allowHashBang: true,
        ...options,
      },
      code,
    );
    this.#maxDepth = maxDepth;
  }

  /** The whole text as one expression, with or without a semicolon after it. */
  parseOnlyExpression(): Program {
    this.nextToken();
    const expression = this.parseExpression();
    const { start, end } = expression;
    if (this.type === tokTypes.semi) this.nextToken();
    if (this.type !== tokTypes.eof) throw new SyntaxError('Unexpected token');
    const body = [{ type: 'ExpressionStatement' as const, start, end, expression }];
    return { type: 'Program', sourceType: 'module', start: 0, end: this.input.length, body };
  }

  override parseStatement(...rest: readonly unknown[]): unknown {
    return this.#nested(() => super.parseStatement(...rest));
  }

  override parseMaybeAssign(...rest: readonly unknown[]): unknown {
    return this.#nested(() => super.parseMaybeAssign(...rest));
  }

  override parseBindingAtom(...rest: readonly unknown[]): unknown {
    return this.#nested(() => super.parseBindingAtom(...rest));
  }

  override parseMaybeUnary(...rest: readonly unknown[]): unknown {
    return this.#chain(() => super.parseMaybeUnary(...rest));
  }

  override parseExprOp(...rest: readonly unknown[]): unknown {
    return this.#chain(() => super.parseExprOp(...rest));
  }

  /** "Here it is:" and a Markdown fence are a label and three templates, each the tag of the next: never meant as such. */
  override parseSubscript(base: Expression, ...rest: readonly unknown[]): Expression {
    if (base.type === 'TemplateLiteral' && this.type === tokTypes.backQuote)
      throw new SyntaxError('A text in backquotes cannot be called');
    return super.parseSubscript(base, ...rest);
  }

  /** `import(…)`, `import.meta`, `import.source(…)`, `import.defer(…)`: all begin here. */
  override parseExprImport(): unknown {
    const form = /^import\s*(?:\.\s*(\w+)\s*)?(\()?/.exec(
      this.input.slice(this.start, this.start + 80),
    );
    const phase = form?.[1] === undefined ? '' : `.${form[1]}`;
    return this.#forbid(`import${phase}${phase === '.meta' ? '' : '()'}`);
  }

  /** `import source x from …` and `import defer * as x from …`. */
  override parseImport(...rest: readonly unknown[]): unknown {
    const words = /^import\s+(source|defer)\b\s*(?!from\s*['"]|,|\s)/;
    const phase = words.exec(this.input.slice(this.start, this.start + 80))?.[1];
    if (phase !== undefined) this.#forbid(`import ${phase}`);
    return super.parseImport(...rest);
  }

  #forbid(form: string): never {
    throw new ParseRefusal({ kind: 'forbidden-import', form, offset: this.start });
  }

  #nested<T>(parse: () => T): T {
    if (this.#depth >= this.#maxDepth) throw new ParseRefusal(this.#tooDeep());
    this.#depth += 1;
    const parsed = parse();
    this.#depth -= 1;
    return parsed;
  }

  #chain<T>(parse: () => T): T {
    if (this.#chained >= this.#maxDepth * CHAIN_FACTOR) throw new ParseRefusal(this.#tooDeep());
    this.#chained += 1;
    const parsed = parse();
    this.#chained -= 1;
    return parsed;
  }

  #tooDeep(): ParseOutcome {
    return { kind: 'too-deep', offset: this.start };
  }
}
