import type {
  ExportDefaultDeclaration,
  ExportNamedDeclaration,
  Identifier,
  ImportDeclaration,
  Literal,
  Program,
} from 'acorn';
import { classifyModule } from './classify-module.ts';
import { positionAt, reject } from './code-frame.ts';
import { didYouMean } from './did-you-mean.ts';
import type { GateViolation, RejectedSource, ViolatingSource } from './guest-source.ts';
import type { SourceEdits } from './source-edits.ts';
import { readPattern } from './walk.ts';

/** The modules that code may import: name to the names it exports. */
export type AllowedModules = ReadonlyMap<string, readonly string[]>;

export interface ModuleForm {
  readonly kind: 'rewritten';
  /** `const` declarations for what is imported. */
  readonly bindings: string;
  /** Modules imported, each once, in the order of the text. */
  readonly imports: readonly string[];
  /** Exported name to the expression that reads it at the end of the code. */
  readonly exports: ReadonlyMap<string, string>;
}

/**
 * Turns `import` and `export` into plain declarations: a SES program has neither, and its module loader costs more than
 * the rest of a run. Imports are read from `arguments[0].modules`, before the first line, as a real import would be.
 * @param defaultName A name free in the code, of at most seven characters, for an `export default` without one.
 */
export function rewriteModules(
  code: string,
  program: Program,
  edits: SourceEdits,
  { modules, defaultName }: { modules: AllowedModules; defaultName: string },
): ModuleForm | RejectedSource | ViolatingSource {
  const bindings: string[] = [];
  const imports = new Set<string>();
  const exports = new Map<string, string>();

  for (const statement of program.body) {
    if (!('source' in statement && statement.source)) continue;
    const refusal = checkSource(code, statement.source, modules);
    if (refusal) return refusal;
  }
  for (const statement of program.body) {
    // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- others are no module syntax
    switch (statement.type) {
      case 'ImportDeclaration': {
        const name = String(statement.source.value);
        const missing = missingExport(code, statement, name, modules);
        if (missing) return missing;
        bindings.push(...importBindings(statement, name));
        imports.add(name);
        edits.blank(code, statement.start, statement.end);
        break;
      }
      case 'ExportAllDeclaration':
        return reject(code, statement.start, {
          kind: 'unsupported',
          message: '`export * from` is not supported',
          hint: 'Export each name.',
        });
      case 'ExportNamedDeclaration':
        readNamedExport(code, statement, { edits, exports, imports });
        break;
      case 'ExportDefaultDeclaration':
        exports.set('default', rewriteDefault(code, statement, edits, defaultName));
        break;
      default:
    }
  }
  return { kind: 'rewritten', bindings: bindings.join(''), imports: [...imports], exports };
}

/** The record of an import that is not on the list, static or dynamic. */
export function importViolation(
  code: string,
  offset: number,
  specifier: string,
  modules: AllowedModules,
): GateViolation {
  const type = classifyModule(specifier);
  const allowed = [...modules.keys()];
  const near = type === 'IMPORT_ALLOWLIST_VIOLATION' ? didYouMean(specifier, allowed) : undefined;
  const suggestion = near === undefined ? '' : ` Did you mean ${JSON.stringify(near)}?`;
  const list = allowed.length > 0 ? `Available: ${allowed.join(', ')}.` : 'No module is available.';
  const details = `Import of ${JSON.stringify(specifier.slice(0, 200))} is not allowed.${suggestion} ${list}`;
  return { type, details, ...positionAt(code, offset) };
}

function checkSource(
  code: string,
  source: Literal,
  modules: AllowedModules,
): ViolatingSource | undefined {
  const specifier = String(source.value);
  if (modules.has(specifier)) return undefined;
  return { kind: 'violation', violation: importViolation(code, source.start, specifier, modules) };
}

function missingExport(
  code: string,
  { specifiers }: ImportDeclaration,
  module: string,
  modules: AllowedModules,
): RejectedSource | undefined {
  const exported = modules.get(module) ?? [];
  for (const specifier of specifiers) {
    if (specifier.type !== 'ImportSpecifier') continue;
    const name = exportName(specifier.imported);
    if (name === 'default' || exported.includes(name)) continue;
    const near = didYouMean(name, exported);
    return reject(code, specifier.start, {
      kind: 'reference',
      message: `Module "${module}" has no export "${name}"`,
      hint: near === undefined ? `It exports: ${exported.join(', ')}.` : `Did you mean "${near}"?`,
    });
  }
  return undefined;
}

function importBindings({ specifiers }: ImportDeclaration, module: string): string[] {
  const namespace = namespaceOf(module);
  return specifiers.map((specifier) => {
    switch (specifier.type) {
      case 'ImportDefaultSpecifier':
        return `const ${specifier.local.name}=${defaultOf(namespace)};`;
      case 'ImportNamespaceSpecifier':
        return `const ${specifier.local.name}=${namespace};`;
      case 'ImportSpecifier': {
        const name = exportName(specifier.imported);
        const value = name === 'default' ? defaultOf(namespace) : memberOf(namespace, name);
        return `const ${specifier.local.name}=${value};`;
      }
    }
  });
}

interface ExportSink {
  readonly edits: SourceEdits;
  readonly exports: Map<string, string>;
  readonly imports: Set<string>;
}

function readNamedExport(
  code: string,
  { start, end, declaration, specifiers, source }: ExportNamedDeclaration,
  { edits, exports, imports }: ExportSink,
): void {
  if (declaration) {
    edits.blank(code, start, declaration.start);
    const ids =
      declaration.type === 'VariableDeclaration'
        ? declaration.declarations.flatMap(({ id }) => readPattern(id).names)
        : [declaration.id];
    for (const { name } of ids) exports.set(name, name);
    return;
  }
  edits.blank(code, start, end);
  if (source) imports.add(String(source.value));
  for (const { local, exported } of specifiers) {
    const name = exportName(local);
    const value = source ? memberOf(namespaceOf(String(source.value)), name) : name;
    exports.set(exportName(exported), value);
  }
}

/** Keeps columns: `export default` and `const NAME =` can be made equally long. */
function rewriteDefault(
  code: string,
  { start, declaration }: ExportDefaultDeclaration,
  edits: SourceEdits,
  defaultName: string,
): string {
  if ('id' in declaration && declaration.id && declaration.type.endsWith('Declaration')) {
    edits.blank(code, start, declaration.start);
    return declaration.id.name;
  }
  // Comments and breaks between the two words, or after them, are rare enough to lose their columns.
  const head = code.slice(start, declaration.start);
  const words = /^export\s+default/.exec(head)?.[0] ?? head;
  const width = words.includes('\n') ? 0 : words.length - 1;
  const lines = words.replaceAll(/[^\n]/g, '');
  edits.replace(start, start + words.length, `${`const ${defaultName}`.padEnd(width)}${lines}=`);
  // A declaration ends by itself; as a value it must not be called by the line after it.
  if (declaration.type.endsWith('Declaration')) edits.insert(declaration.end, ';');
  return defaultName;
}

function namespaceOf(module: string): string {
  return `arguments[0].modules[${JSON.stringify(module)}]`;
}

function memberOf(namespace: string, name: string): string {
  return `${namespace}[${JSON.stringify(name)}]`;
}

/** A module without a default export is its own: `import math from 'math'` is what people write. */
function defaultOf(namespace: string): string {
  return `("default"in ${namespace}?${namespace}.default:${namespace})`;
}

function exportName(node: Identifier | Literal): string {
  return node.type === 'Identifier' ? node.name : String(node.value);
}
