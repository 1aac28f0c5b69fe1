import type { AnyNode, Identifier, Program } from 'acorn';
import { childrenOf, readPattern } from './walk.ts';

export interface NameReference {
  readonly name: string;
  readonly offset: number;
}

export interface ResolvedNames {
  /** References that no declaration of the code answers, in the order of the text. */
  readonly free: readonly NameReference[];
  /** Names that the code asks `typeof` about, and so is prepared to miss. */
  readonly guarded: ReadonlySet<string>;
  /** Every name that the code declares anywhere. */
  readonly declared: ReadonlySet<string>;
}

/**
 * Finds what each identifier refers to, by the scopes of strict JavaScript. Order (the temporal dead zone) is left to the
 * engine, and a parameter's default sees the body's names, which only ever makes this answer milder than the engine's.
 */
export function resolveNames(program: Program): ResolvedNames {
  const analysis = new ScopeAnalysis();
  analysis.read(program);
  return analysis.resolve();
}

interface Scope {
  readonly names: Set<string>;
  readonly parent: Scope | undefined;
  /** Where `var` lands: the function, static block or program around. */
  readonly varScope: Scope;
}

interface Reference extends NameReference {
  readonly scope: Scope;
}

class ScopeAnalysis {
  readonly #references: Reference[] = [];
  readonly #guarded = new Set<string>();
  readonly #declared = new Set<string>();
  // Scopes are settled only when all of the text is read, so a plain list of work does, without recursion.
  readonly #pending: { node: AnyNode; scope: Scope }[] = [];

  read(program: Program): void {
    this.#later(program, functionScope(undefined));
    for (let next = this.#pending.pop(); next !== undefined; next = this.#pending.pop()) {
      this.#visit(next.node, next.scope);
    }
  }

  resolve(): ResolvedNames {
    const free = this.#references
      .filter(({ name, scope }) => !isDeclared(name, scope))
      .map(({ name, offset }) => ({ name, offset }))
      .toSorted((a, b) => a.offset - b.offset);
    return { free, guarded: this.#guarded, declared: this.#declared };
  }

  #visit(node: AnyNode, scope: Scope): void {
    // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the default reads the children
    switch (node.type) {
      case 'Identifier':
        this.#references.push({ name: node.name, offset: node.start, scope });
        return;
      case 'VariableDeclaration':
        for (const { id, init } of node.declarations) {
          this.#declarePattern(id, node.kind === 'var' ? scope.varScope : scope, scope);
          this.#later(init, scope);
        }
        return;
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        return this.#visitFunction(node, scope);
      case 'ClassDeclaration':
      case 'ClassExpression':
        return this.#visitClass(node, scope);
      case 'CatchClause': {
        const inner = blockScope(scope);
        if (node.param) this.#declarePattern(node.param, inner, inner);
        return this.#later(node.body, inner);
      }
      case 'BlockStatement':
      case 'ForStatement':
      case 'ForInStatement':
      case 'ForOfStatement':
      case 'SwitchStatement':
        return this.#laterAll(childrenOf(node), blockScope(scope));
      case 'StaticBlock':
        return this.#laterAll(node.body, functionScope(scope));
      case 'UnaryExpression':
        if (node.operator === 'typeof' && node.argument.type === 'Identifier') {
          this.#guarded.add(node.argument.name);
        }
        return this.#later(node.argument, scope);
      case 'MemberExpression':
        this.#later(node.object, scope);
        if (node.computed) this.#later(node.property, scope);
        return;
      case 'Property':
      case 'MethodDefinition':
      case 'PropertyDefinition':
        if (node.computed) this.#later(node.key, scope);
        return this.#later(node.value, scope);
      case 'LabeledStatement':
        return this.#later(node.body, scope);
      case 'ImportDeclaration':
        for (const { local } of node.specifiers) this.#declare(local, scope);
        return;
      case 'ExportNamedDeclaration':
        this.#later(node.declaration, scope);
        if (node.source) return;
        for (const { local } of node.specifiers) {
          if (local.type === 'Identifier') this.#later(local, scope);
        }
        return;
      case 'BreakStatement':
      case 'ContinueStatement':
      case 'ExportAllDeclaration':
      case 'MetaProperty':
      case 'Literal':
      case 'TemplateElement':
        return;
      default:
        this.#laterAll(childrenOf(node), scope);
    }
  }

  #visitFunction(node: FunctionNode, scope: Scope): void {
    let outer = scope;
    if (node.type === 'FunctionDeclaration') {
      this.#declare(node.id, scope);
    } else if (node.id) {
      outer = blockScope(scope);
      this.#declare(node.id, outer);
    }
    const inner = functionScope(outer);
    if (node.type !== 'ArrowFunctionExpression') inner.names.add('arguments');
    for (const param of node.params) this.#declarePattern(param, inner, inner);
    // The body's own block would hide nothing from its parameters; one scope holds both.
    if (node.body.type === 'BlockStatement') this.#laterAll(node.body.body, inner);
    else this.#later(node.body, inner);
  }

  #visitClass(node: ClassNode, scope: Scope): void {
    if (node.type === 'ClassDeclaration') this.#declare(node.id, scope);
    const inner = blockScope(scope);
    this.#declare(node.id, inner);
    this.#later(node.superClass, inner);
    this.#later(node.body, inner);
  }

  #declarePattern(pattern: AnyNode, target: Scope, scope: Scope): void {
    const { names, expressions } = readPattern(pattern);
    for (const { name } of names) this.#add(name, target);
    this.#laterAll(expressions, scope);
  }

  #declare(id: Identifier | null | undefined, scope: Scope): void {
    if (id) this.#add(id.name, scope);
  }

  #add(name: string, scope: Scope): void {
    scope.names.add(name);
    this.#declared.add(name);
  }

  #later(node: AnyNode | null | undefined, scope: Scope): void {
    if (node) this.#pending.push({ node, scope });
  }

  #laterAll(nodes: readonly AnyNode[], scope: Scope): void {
    for (const node of nodes) this.#pending.push({ node, scope });
  }
}

type FunctionNode = Extract<
  AnyNode,
  { type: 'FunctionDeclaration' | 'FunctionExpression' | 'ArrowFunctionExpression' }
>;
type ClassNode = Extract<AnyNode, { type: 'ClassDeclaration' | 'ClassExpression' }>;

function functionScope(parent: Scope | undefined): Scope {
  const names = new Set<string>();
  const scope: { names: Set<string>; parent: Scope | undefined; varScope: Scope } = {
    names,
    parent,
    get varScope() {
      return scope;
    },
  };
  return scope;
}

function blockScope(parent: Scope): Scope {
  return { names: new Set(), parent, varScope: parent.varScope };
}

function isDeclared(name: string, scope: Scope): boolean {
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) {
    if (at.names.has(name)) return true;
  }
  return false;
}
