import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  LineCounter,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml';
import type { PolicyProblem, PolicyProblemCode } from './problem.ts';

/** Larger ones are refused before they are parsed. */
export const MAX_POLICY_BYTES = 1_048_576;
/** What aliases may grow to: how often they are followed, through one another too. */
const MAX_ALIASES = 100;

/** Where in a document: the keys and indices that lead there. */
export type DocumentPath = readonly (string | number)[];

/** A policy's text as plain data that knows where each of its parts was written. */
export interface SourceDocument {
  source: string;
  data: unknown;
  /** @param ofKey The place of the last key itself, not of its value. */
  problemAt(
    path: DocumentPath,
    problem: { code: PolicyProblemCode; message: string; hint: string },
    ofKey?: boolean,
  ): PolicyProblem;
}

export type SourceDocumentResult =
  | { ok: true; document: SourceDocument }
  | { ok: false; problems: readonly PolicyProblem[] };

/**
 * Reads YAML 1.2 with the core schema: `yes` is a text, keys are unique texts, there are no tags, no merge keys, no second
 * document, no other version. Aliases are followed, boundedly.
 */
export function readSourceDocument(text: string, source: string): SourceDocumentResult {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_POLICY_BYTES) {
    const message = `The policy is ${bytes} bytes long, and may be ${MAX_POLICY_BYTES}`;
    const hint = 'Merge rules that say the same of several actions: `action` takes a list.';
    return {
      ok: false,
      problems: [{ code: 'TOO_LARGE', source, line: 1, column: 1, path: '', message, hint }],
    };
  }
  try {
    return parseSource(text, source);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const message = 'The policy is nested too deeply to be read';
    const hint = 'Look for brackets that are opened again and again.';
    return {
      ok: false,
      problems: [{ code: 'YAML_SYNTAX', source, line: 1, column: 1, path: '', message, hint }],
    };
  }
}

function parseSource(text: string, source: string): SourceDocumentResult {
  const lines = new LineCounter();
  const yaml = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    uniqueKeys: true,
    merge: false,
    strict: true,
    stringKeys: true,
    prettyErrors: false,
    lineCounter: lines,
    logLevel: 'silent',
  });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const problems = [
    ...worthTelling([...yaml.errors, ...yaml.warnings]).map((error) => ofYaml(error, source, at)),
    ...featuresNotWanted(yaml).map(({ offset, ...found }) => ({
      source,
      path: '',
      ...at(offset),
      ...found,
    })),
  ];
  if (problems.length > 0) return { ok: false, problems: problems.slice(0, MAX_PROBLEMS) };
  let data: unknown;
  try {
    data = yaml.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    // The only way in which it fails on a document without errors.
    const message = `An alias cannot be followed (${error instanceof Error ? error.message : String(error)})`;
    const hint = `Write the value out; aliases may be followed ${MAX_ALIASES} times in all.`;
    const offset = firstAlias(yaml);
    return {
      ok: false,
      problems: [{ code: 'YAML_FEATURE', source, path: '', ...at(offset), message, hint }],
    };
  }
  return {
    ok: true,
    document: {
      source,
      data,
      problemAt: (path, problem, ofKey = false) => ({
        ...problem,
        source,
        path: path.join('.'),
        ...at(offsetOf(yaml, path, ofKey)),
      }),
    },
  };
}

const MAX_PROBLEMS = 100;

/** After the first mistake in the syntax, what follows is mostly its consequence. */
function worthTelling(errors: readonly YAMLError[]): YAMLError[] {
  const first = errors.find(({ code }) => code !== 'DUPLICATE_KEY');
  return errors.filter((error) => error === first || error.code === 'DUPLICATE_KEY');
}

function ofYaml(
  error: YAMLError,
  source: string,
  at: (offset: number) => { line: number; column: number },
): PolicyProblem {
  const isDuplicate = error.code === 'DUPLICATE_KEY';
  return {
    code: isDuplicate ? 'DUPLICATE_KEY' : 'YAML_SYNTAX',
    source,
    path: '',
    ...at(error.pos[0]),
    message: isDuplicate ? 'The same key is written twice' : `This is no YAML: ${error.message}`,
    hint:
      SYNTAX_HINTS[error.code] ??
      'Look at the indentation, quotes and brackets here and one line above.',
  };
}

const SYNTAX_HINTS: Readonly<Partial<Record<YAMLError['code'], string>>> = {
  DUPLICATE_KEY: 'Keep one of the two; only one could count.',
  TAB_AS_INDENT: 'Indent with spaces, not with tabs.',
  MULTIPLE_DOCS: 'Keep one policy per file, without a line of `---` between rules.',
  MISSING_CHAR: 'A quote or bracket is opened and not closed; or put quotes around the whole text.',
  TAG_RESOLVE_FAILED:
    'Leave out the word that begins with `!`; put quotes around a text that begins so.',
  BAD_ALIAS: 'A text that begins with `*` or `&` needs quotes: "*.read".',
  NON_STRING_KEY: 'Keys are plain words.',
};

interface Unwanted {
  code: PolicyProblemCode;
  message: string;
  hint: string;
  offset: number;
}

/** Reserved names: a policy has no use for them, and some readers of plain data stumble over them. */
const RESERVED_KEYS: ReadonlySet<unknown> = new Set(['__proto__', 'constructor', 'prototype']);

function featuresNotWanted(yaml: Document): Unwanted[] {
  const found: Unwanted[] = [];
  if (yaml.directives?.yaml.explicit) {
    const hint = 'Remove the line that begins with `%`.';
    found.push({
      code: 'YAML_FEATURE',
      message: 'A policy takes no `%YAML` line',
      hint,
      offset: 0,
    });
  }
  visit(yaml, {
    Node: (_key, node) => {
      if (isAlias(node) || node.tag === undefined) return;
      const hint = 'Leave out the word that begins with `!`.';
      const offset = node.range?.[0] ?? 0;
      found.push({ code: 'YAML_FEATURE', message: 'A policy takes no tags', hint, offset });
    },
    Scalar: (_key, { value, range }) => {
      if (typeof value !== 'string' || value.isWellFormed()) return;
      const message = 'A text holds half a character (a lone surrogate)';
      const hint = 'Write the character itself, or leave it out.';
      found.push({ code: 'YAML_FEATURE', message, hint, offset: range?.[0] ?? 0 });
    },
    Pair: (_key, { key }) => {
      if (!isScalar(key)) return;
      const offset = key.range?.[0] ?? 0;
      if (key.value === '<<') {
        const hint = 'Write the keys out where they are needed.';
        found.push({
          code: 'YAML_FEATURE',
          message: 'A policy takes no merge keys (`<<`)',
          hint,
          offset,
        });
      } else if (RESERVED_KEYS.has(key.value)) {
        const message = `\`${String(key.value)}\` is a reserved name`;
        const hint = 'Rename the argument in the tool; no rule can look at one of this name.';
        found.push({ code: 'UNKNOWN_KEY', message, hint, offset });
      }
    },
  });
  return found;
}

function firstAlias(yaml: Document): number {
  let offset = 0;
  visit(yaml, {
    Alias: (_key, { range }) => {
      offset = range?.[0] ?? 0;
      return visit.BREAK;
    },
  });
  return offset;
}

/** Where the value at `path` was written; where its nearest parent was, when it was not. */
function offsetOf(yaml: Document, path: DocumentPath, ofKey: boolean): number {
  const [parent, last] = [path.slice(0, -1), path.at(-1)];
  const map = last === undefined ? undefined : resolved(yaml, parent);
  if (isMap(map)) {
    const pair = map.items.find(
      (item) => isPair(item) && isScalar(item.key) && item.key.value === last,
    );
    const place = ofKey || !isNode(pair?.value) ? pair?.key : pair.value;
    if (isNode(place) && place.range) return place.range[0];
  } else if (!ofKey) {
    const node = resolved(yaml, path);
    if (isNode(node) && node.range) return node.range[0];
  }
  return path.length === 0 ? (yaml.contents?.range?.[0] ?? 0) : offsetOf(yaml, parent, false);
}

function resolved(yaml: Document, path: DocumentPath): unknown {
  let node: unknown = yaml.contents;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(yaml);
    if (!isNode(node) || !('get' in node) || typeof node.get !== 'function') return undefined;
    node = node.get(step, true);
  }
  return isAlias(node) ? node.resolve(yaml) : node;
}
