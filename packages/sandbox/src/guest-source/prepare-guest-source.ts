import type { Program } from 'acorn';
import { reject } from './code-frame.ts';
import { returnCompletionValue, INPUT } from './completion-value.ts';
import type { GuestSource, GuestSourceError, RejectedSource } from './guest-source.ts';
import type { AllowedModules, ModuleForm } from './rewrite-modules.ts';
import { stripTypes } from './strip-types.ts';
import type { SourceEdits } from './source-edits.ts';
import { syntaxProblem } from './syntax-problem.ts';
import { onlyFencedBlock, unwrapFence } from './unwrap-fence.ts';
import { type GateLimits, wrapCode } from './wrap-code.ts';

export interface GuestSourceOptions extends GateLimits {
  /** `auto` (the default) reads JavaScript, and tries TypeScript when that fails. A fence's own tag wins over `auto`. */
  readonly language?: 'auto' | 'javascript' | 'typescript';
  /** Every global the code may name: built-ins, tools, `input`, traps. */
  readonly globals: ReadonlySet<string>;
  /** Every module the code may import, with what each exports. */
  readonly modules: AllowedModules;
}

/**
 * Layer 0: turns what a model wrote into one expression for a SES compartment, or says why not. Never throws.
 *
 * The expression is an async function of one object: the values of `globals` by name, `modules` (namespace by module
 * name) and `input`. It takes only those globals that the code names. Accepted forms:
 * - statements, with `await`, `return` and `import` at the top; the last one is the value, if it is an expression, or a
 *   block, `if`, `switch` or `try` that ends in one;
 * - a function as the last expression, or as the only declaration, or as `export default`, or as the only and last
 *   export: called with `input`;
 * - an object literal; `export default` of any other value; all of these in a Markdown fence, or in TypeScript.
 * @example
 * const globals = new Set(['Math']);
 * prepareGuestSource('Math.max(1, 2)', { globals, modules: new Map() }); // { kind: 'ready', source: '(async function…' }
 */
export function prepareGuestSource(text: string, options: GuestSourceOptions): GuestSource {
  const tooLarge = checkSize(text, options.maxSourceBytes ?? DEFAULT_MAX_SOURCE_BYTES);
  if (tooLarge) return tooLarge;
  const { code, tag } = unwrapFence(text);
  const language = languageOf(tag) ?? options.language ?? 'auto';
  const outcome = prepareAs(code, language, options);
  if (outcome.kind !== 'rejected') return outcome;
  const block = code === text ? onlyFencedBlock(text) : undefined;
  if (block === undefined || language === 'typescript') return outcome;
  return prepareAs(block.code, languageOf(block.tag) ?? language, options);
}

/** As much as the default: 256 KB. */
const DEFAULT_MAX_SOURCE_BYTES = 262_144;

function checkSize(text: string, maxSourceBytes: number): RejectedSource | undefined {
  const bytes = text.length > maxSourceBytes ? text.length : Buffer.byteLength(text);
  if (bytes <= maxSourceBytes) return undefined;
  return reject(text.slice(0, 200), 0, {
    kind: 'unsupported',
    message: `The code is larger than ${maxSourceBytes} bytes`,
    hint: 'Pass large data as `input`, or read it with a tool.',
  });
}

function languageOf(tag: string | undefined): 'javascript' | 'typescript' | undefined {
  if (tag === 'ts' || tag === 'typescript' || tag === 'mts') return 'typescript';
  return undefined;
}

function prepareAs(
  code: string,
  language: 'auto' | 'javascript' | 'typescript',
  options: GuestSourceOptions,
): GuestSource {
  if (language === 'typescript') return prepareTypeScript(code, options);
  const outcome = prepareJavaScript(code, code, 'javascript', options);
  if (language === 'javascript' || !mayBeTypeScript(code, outcome)) return outcome;
  const stripped = prepareTypeScript(code, options);
  if (stripped.kind !== 'rejected') return stripped;
  return outcome.kind === 'rejected' && isAboutTypeScript(stripped.error, outcome.error)
    ? stripped
    : outcome;
}

/**
 * Whether code that is right in neither language was TypeScript. The stripper's own refusals are about TypeScript; and
 * whoever reads further before it gives up was reading its own language.
 */
function isAboutTypeScript(typed: GuestSourceError, plain: GuestSourceError): boolean {
  if (plain.kind !== 'syntax') return false;
  const isFurther =
    typed.line > plain.line || (typed.line === plain.line && typed.column > plain.column);
  return typed.kind !== 'syntax' || (isFurther && plain.hint === undefined);
}

/** The stripper costs some 40 ms at first use: only where its answer could differ. */
function mayBeTypeScript(code: string, outcome: GuestSource): boolean {
  if (outcome.kind !== 'rejected') return false;
  switch (outcome.error.kind) {
    case 'syntax':
      return /[:<!]|\b(?:as|satisfies|type|interface|enum|declare|abstract|namespace|private|public|protected|readonly)\b/.test(
        code,
      );
    case 'reference':
      return /[\w$]<[^<>;]*>\(/.test(code); // `parse<Order>(text)` compares, in JavaScript
    case 'unsupported':
      return false;
  }
}

function prepareTypeScript(code: string, options: GuestSourceOptions): GuestSource {
  const stripped = stripTypes(code);
  switch (stripped.kind) {
    case 'stripped':
      return prepareJavaScript(stripped.code, code, 'typescript', options);
    case 'invalid':
      return reject(code, stripped.offset, syntaxProblem(stripped.message, code, stripped.offset));
    case 'unsupported':
      return reject(code, stripped.offset, {
        kind: 'unsupported',
        message: stripped.message,
        hint: stripped.message.includes('angle-bracket')
          ? 'Types are erased only. Write `value as Type`.'
          : 'Types are erased only. Instead of an enum or namespace write a const object; assign parameter properties in the constructor.',
      });
  }
}

/** @param shown What the guest wrote, of the same lines and columns: for the frames of errors. */
function prepareJavaScript(
  code: string,
  shown: string,
  language: 'javascript' | 'typescript',
  options: GuestSourceOptions,
): GuestSource {
  const wrapped = wrapCode(code, shown, options, { opening: 'async function', end: endOfProgram });
  if (wrapped.kind !== 'wrapped') return wrapped;
  const { source, columnOffset, imports, originalPosition } = wrapped;
  return {
    kind: 'ready',
    source,
    lineOffset: 0,
    columnOffset,
    imports,
    language,
    originalPosition,
  };
}

function endOfProgram(
  code: string,
  program: Program,
  edits: SourceEdits,
  { exports }: ModuleForm,
): string {
  const value = exports.get('default') ?? onlyExport(program, exports);
  if (value === undefined) return returnCompletionValue(code, program, edits);
  return `return typeof ${value}==="function"?${value}(${INPUT}):${value}`;
}

/** `export async function main(input) {…}` at the end, and no other export: meant as the default. */
function onlyExport(program: Program, exports: ModuleForm['exports']): string | undefined {
  const isLast = program.body.at(-1)?.type === 'ExportNamedDeclaration';
  return isLast && exports.size === 1 ? exports.values().next().value : undefined;
}
