import type { Program } from 'acorn';
import { positionAt, reject } from './code-frame.ts';
import {
  concealFromSes,
  concealHelpers,
  isRefusedBySes,
  namesSourceUrl,
} from './conceal-from-ses.ts';
import type { RejectedSource, SourcePosition, ViolatingSource } from './guest-source.ts';
import { type ParsedCode, parseGuestCode, type ParseOutcome } from './parse-guest-code.ts';
import { resolveNames } from './resolve-names.ts';
import {
  type AllowedModules,
  importViolation,
  type ModuleForm,
  rewriteModules,
} from './rewrite-modules.ts';
import { SourceEdits } from './source-edits.ts';
import { syntaxProblem } from './syntax-problem.ts';
import { rejectUnknownNames, usedGlobals } from './unknown-names.ts';

export interface GateLimits {
  /** UTF-8 bytes of source. Default 262 144. */
  readonly maxSourceBytes?: number;
  /** Expressions and statements inside one another. Default 200. */
  readonly maxDepth?: number;
}

export interface WrapOptions extends GateLimits {
  readonly globals: ReadonlySet<string>;
  readonly modules: AllowedModules;
}

export interface WrapForm {
  readonly opening: 'async function' | 'function';
  /** What to add after the code: how its value is returned. May edit the code for it. */
  readonly end: (
    code: string,
    program: Program,
    edits: SourceEdits,
    form: ModuleForm,
  ) => string | RejectedSource;
}

export interface WrappedCode {
  readonly kind: 'wrapped';
  readonly source: string;
  readonly columnOffset: number;
  readonly imports: readonly string[];
  readonly exports: readonly string[];
  readonly originalPosition: (line: number, column: number) => SourcePosition;
}

const DEFAULT_MAX_DEPTH = 200;

/** One pass of the gate: parse, check imports and names, rewrite, and wrap into a function of one object of globals. */
export function wrapCode(
  code: string,
  shown: string,
  { globals, modules, maxDepth = DEFAULT_MAX_DEPTH }: WrapOptions,
  { opening, end }: WrapForm,
): WrappedCode | RejectedSource | ViolatingSource {
  const withTokens = isRefusedBySes(code) || namesSourceUrl(code);
  const parsed = parseGuestCode(code, { maxDepth, withTokens });
  if (parsed.kind !== 'parsed') return refusalOf(parsed, code, shown, modules);

  const edits = new SourceEdits();
  const fresh = freshNames(code);
  const form = rewriteModules(code, parsed.program, edits, { modules, defaultName: fresh.default });
  if (form.kind !== 'rewritten') return form;
  const names = resolveNames(parsed.program);
  const unknown = rejectUnknownNames(shown, names, { globals, modules });
  if (unknown) return unknown;

  const ending = end(code, parsed.program, edits, form);
  if (typeof ending !== 'string') return ending;
  const helpers = concealHelpers(concealFromSes(code, parsed, edits, fresh), fresh);
  if (code.startsWith('#!')) edits.replace(0, 2, '//');

  const used = usedGlobals(names, globals);
  const globalBindings = used.length > 0 ? `const{${used.join(',')}}=arguments[0];` : '';
  const head = `(${opening}(){"use strict";${globalBindings}${form.bindings}${helpers}`;
  const edited = edits.apply(code);
  const source = `${head}${edited.text}\n${ending}})`;
  if (isRefusedBySes(source)) return unexpectedForm(shown);
  return {
    kind: 'wrapped',
    source,
    columnOffset: head.length,
    imports: form.imports,
    exports: [...form.exports.keys()],
    originalPosition: (line, column) =>
      edited.originalPosition(line, line === 1 ? Math.max(1, column - head.length) : column),
  };
}

type Refused = Exclude<ParseOutcome, ParsedCode>;

function refusalOf(
  outcome: Refused,
  code: string,
  shown: string,
  modules: AllowedModules,
): RejectedSource | ViolatingSource {
  const { offset } = outcome;
  switch (outcome.kind) {
    case 'invalid':
      return reject(shown, offset, syntaxProblem(outcome.message, shown, offset));
    case 'too-deep':
      return reject(shown, offset, {
        kind: 'unsupported',
        message: 'The code is nested too deeply',
        hint: 'Split it into statements or functions; pass large data as `input`.',
      });
    case 'forbidden-import': {
      const { form } = outcome;
      const specifier = /^[^'"`]*(['"`])(.*?)\1/.exec(code.slice(offset, offset + 300))?.[2];
      if (form !== 'import.meta' && specifier !== undefined && !modules.has(specifier)) {
        const violation = importViolation(shown, offset, specifier, modules);
        return { kind: 'violation', violation };
      }
      const hint = form === 'import.meta' ? '' : " Use a static import: import math from 'math'.";
      return {
        kind: 'violation',
        violation: {
          type: 'IMPORT_ALLOWLIST_VIOLATION',
          details: `${form} is not available.${hint}`,
          ...positionAt(shown, offset),
        },
      };
    }
  }
}

/** Names that do not occur anywhere in the code, not even in a string. */
function freshNames(code: string): { default: string; regExp: string; template: string } {
  let number = 0;
  for (const [, taken] of code.matchAll(/\$(\d{1,9})/g))
    number = Math.max(number, Number(taken) + 1);
  return { default: `$${number}d`, regExp: `$${number}r`, template: `$${number}t` };
}

/** Should not happen; SES would refuse it with a message about its own patterns. */
function unexpectedForm(shown: string): RejectedSource {
  return reject(shown, 0, {
    kind: 'unsupported',
    message:
      'The code looks like a dynamic import, a direct eval or an HTML comment in a place that cannot be rewritten',
    hint: 'Write import( and the like apart.',
  });
}
