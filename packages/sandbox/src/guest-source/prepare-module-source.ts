import type { AnyNode, Program } from 'acorn';
import { reject } from './code-frame.ts';
import type { RejectedSource, ViolatingSource } from './guest-source.ts';
import type { PositionMap } from './position-map.ts';
import { childrenOf } from './walk.ts';
import { type WrapOptions, wrapCode } from './wrap-code.ts';

export interface ReadyModule {
  readonly kind: 'ready';
  /** A JavaScript expression: a function of `{ ...globals, modules }` that returns the frozen namespace. */
  readonly source: string;
  /** Names that the module exports, in the order of the text; `default` among them. */
  readonly exports: readonly string[];
  /** Modules that it imports; they must be in `modules` when the function is called. */
  readonly imports: readonly string[];
  readonly columnOffset: number;
  readonly positions: PositionMap;
}

/**
 * The gate for the source of a module: the same checks as for a guest's program, and a namespace instead of a value. A
 * module runs to its end at once (no top-level `await`), and what it exports is read then and frozen, methods and all.
 * @example
 * prepareModuleSource('export const vat = (net) => net * 0.19;', { globals: new Set(), modules: new Map() });
 */
export function prepareModuleSource(
  code: string,
  options: WrapOptions,
): ReadyModule | RejectedSource | ViolatingSource {
  const maxSourceBytes = options.maxSourceBytes ?? 262_144;
  if (Buffer.byteLength(code) > maxSourceBytes) {
    return reject(code.slice(0, 200), 0, {
      kind: 'unsupported',
      message: `The module is larger than ${maxSourceBytes} bytes`,
    });
  }
  const wrapped = wrapCode(code, code, options, {
    opening: 'function',
    end: (_code, program, _edits, { exports }) => {
      const leaving = leavesTopLevel(program);
      if (leaving !== undefined) {
        return reject(code, leaving.offset, {
          kind: 'unsupported',
          message: `A module cannot ${leaving.what} at its top level`,
          hint: 'Export a function.',
        });
      }
      return `return ${FREEZE}({__proto__:null,${members(exports)}})`;
    },
  });
  if (wrapped.kind !== 'wrapped') return wrapped;
  const { source, exports, imports, columnOffset, positions } = wrapped;
  return { kind: 'ready', source, exports, imports, columnOffset, positions };
}

/** Computed keys: a plain `__proto__:` would set the prototype. */
function members(exports: ReadonlyMap<string, string>): string {
  return [...exports].map(([name, value]) => `[${JSON.stringify(name)}]:${value}`).join(',');
}

/** Reaches `Object` without a name that the module could shadow. SES's own harden, in the child, goes further. */
const FREEZE =
  '((n)=>{const{freeze,isFrozen,getOwnPropertyDescriptors:d,values}={}.constructor;' +
  'const f=(v)=>{if(isFrozen(v))return;freeze(v);for(const p of values(d(v))){f(p.value);f(p.get);f(p.set)}};' +
  'f(n);return n})';

/** The first place where the code of the module itself, not a function of it, awaits or returns. */
function leavesTopLevel(
  program: Program,
): { offset: number; what: 'await' | 'return' } | undefined {
  const found: { offset: number; what: 'await' | 'return' }[] = [];
  const pending: AnyNode[] = [program];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (node.type === 'ReturnStatement') found.push({ offset: node.start, what: 'return' });
    if (awaits(node)) found.push({ offset: node.start, what: 'await' });
    if (!isFunction(node)) pending.push(...childrenOf(node));
  }
  return found.toSorted((a, b) => a.offset - b.offset)[0];
}

function awaits(node: AnyNode): boolean {
  if (node.type === 'ForOfStatement') return node.await;
  if (node.type === 'VariableDeclaration') return node.kind === 'await using';
  return node.type === 'AwaitExpression';
}

function isFunction({ type }: AnyNode): boolean {
  return type.endsWith('FunctionExpression') || type === 'FunctionDeclaration';
}
