import { z } from 'zod';
import { nearestWord, type PolicyProblem } from './problem.ts';
import type { DocumentPath, SourceDocument } from './source-document.ts';
import { PolicyDocument } from './vocabulary.ts';

export type PolicyDocumentResult =
  | { ok: true; policy: PolicyDocument }
  | { ok: false; problems: readonly PolicyProblem[] };

/** Checks data against the vocabulary; each problem says where it was written and what was probably meant. */
export function readPolicyDocument(document: SourceDocument): PolicyDocumentResult {
  const result = PolicyDocument.safeParse(document.data);
  if (result.success) return { ok: true, policy: result.data };
  const problems = result.error.issues.flatMap((issue) => ofIssue(issue, [], document));
  return { ok: false, problems: withoutConsequences(problems) };
}

/** Where a key is misspelt, that the right one is missing, and what follows from that, is no news. */
function withoutConsequences(problems: readonly PolicyProblem[]): PolicyProblem[] {
  const misspelt = new Set(problems.filter(({ code }) => code === 'UNKNOWN_KEY').map(parentOf));
  return problems.filter(
    (problem) =>
      problem.code === 'UNKNOWN_KEY' ||
      !(
        misspelt.has(problem.path) ||
        (problem.code === 'MISSING_KEY' && misspelt.has(parentOf(problem)))
      ),
  );
}

function parentOf({ path }: PolicyProblem): string {
  return path.split('.').slice(0, -1).join('.');
}

type Issue = z.core.$ZodIssue;

function ofIssue(issue: Issue, base: DocumentPath, document: SourceDocument): PolicyProblem[] {
  const path: DocumentPath = [
    ...base,
    ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step)),
  ];
  const value = valueAt(document.data, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) =>
        document.problemAt(
          [...path, key],
          {
            code: 'UNKNOWN_KEY',
            message: `${inWords([...path, key])} is no word of a policy`,
            hint: hintForKey(key, path, document.data),
          },
          true,
        ),
      );
    case 'invalid_union': {
      const branch = issue.errors.find((issues) => !issues.some(isOfOtherType));
      if (branch) return branch.flatMap((inner) => ofIssue(inner, path, document));
      if (value === undefined) return [missing(path, document, 'a text or a list')];
      return [
        document.problemAt(path, {
          code: 'WRONG_TYPE',
          message: `${inWords(path)} is ${kindOf(value)}${issue.message === 'Invalid input' ? ', which does not fit here' : `, and ${issue.message}`}`,
          hint: hintForType(value, issue.errors.flat()),
        }),
      ];
    }
    case 'invalid_key':
      return issue.issues.map((inner) =>
        document.problemAt(
          path,
          {
            code: 'WRONG_VALUE',
            message: `${inWords(path)} ${inner.message}`,
            hint: 'Write the names of arguments, with dots between them where one lies in another.',
          },
          true,
        ),
      );
    case 'invalid_type':
      if (value === undefined)
        return [missing(path, document, EXPECTED[issue.expected] ?? issue.expected)];
      return [
        document.problemAt(path, {
          code: 'WRONG_TYPE',
          message: `${inWords(path)} is ${kindOf(value)}, and must be ${EXPECTED[issue.expected] ?? issue.expected}`,
          hint: hintForType(value, [issue]),
        }),
      ];
    case 'invalid_value': {
      const words = issue.values.map(String);
      if (value === undefined) return [missing(path, document, words.join(' or '))];
      return [
        document.problemAt(path, {
          code: 'WRONG_VALUE',
          message: `${inWords(path)} is ${shown(value)}, and must be ${words.join(' or ')}`,
          hint: hintForWord(value, words),
        }),
      ];
    }
    case 'too_big':
    case 'too_small':
      return [
        document.problemAt(path, {
          code: 'WRONG_VALUE',
          message: `${inWords(path)} is ${shown(value)}, which is too ${issue.code === 'too_big' ? 'large' : 'small'}`,
          hint: `Write ${issue.code === 'too_big' ? `at most ${issue.maximum}` : `at least ${issue.minimum}`}${countOf(issue.origin)}.`,
        }),
      ];
    case 'invalid_format':
    case 'custom':
    case 'not_multiple_of':
    case 'invalid_element':
      return [
        document.problemAt(path, {
          code: 'WRONG_VALUE',
          message: `${inWords(path)} ${issue.code === 'not_multiple_of' ? 'must be a whole number' : issue.message}`,
          hint: hintForText(value, path),
        }),
      ];
  }
}

function missing(path: DocumentPath, document: SourceDocument, what: string): PolicyProblem {
  return document.problemAt(path, {
    code: 'MISSING_KEY',
    message: `${inWords(path)} is missing`,
    hint: `Add \`${String(path.at(-1))}:\` here, which is ${what}.`,
  });
}

/** Whether an issue says that a whole branch of a union was not meant. */
function isOfOtherType(issue: Issue): boolean {
  return (
    issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value')
  );
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a group of `key: value` lines',
  record: 'a group of `key: value` lines',
  array: 'a list',
};

/** What authors of other systems try first. */
const NO_EXPRESSIONS = new Set([
  'if',
  'unless',
  'condition',
  'conditions',
  'expression',
  'expr',
  'where',
  'cel',
  'rego',
]);
const NO_PATTERNS = new Set(['regex', 'regexp', 'pattern', 'matches', 'match', 'like']);
const SYNONYMS: Readonly<Record<string, string>> = {
  deny: 'block',
  forbid: 'block',
  permit: 'allow',
  ask: 'approve',
  arguments: 'args',
  input: 'args',
  tool: 'action',
  priority: 'tier',
  name: 'id',
  gte: 'min',
  lte: 'max',
  atLeast: 'min',
  atMost: 'max',
  one_of: 'in',
  eq: 'equals',
  timeout: 'expires',
};

function hintForWord(value: unknown, words: readonly string[]): string {
  const near =
    typeof value === 'string' ? (nearestWord(value, words) ?? SYNONYMS[value]) : undefined;
  return near === undefined || near === value || !words.includes(near)
    ? `Write ${words.join(' or ')}, without quotes.`
    : `Did you mean \`${near}\`?`;
}

function hintForKey(key: string, path: DocumentPath, data: unknown): string {
  const allowed = allowedKeys(path, data);
  const near = nearestWord(key, allowed) ?? SYNONYMS[key];
  if (near !== undefined && allowed.includes(near)) return `Did you mean \`${near}\`?`;
  if (NO_EXPRESSIONS.has(key)) return 'A policy holds no expressions; say it with `when: args:`.';
  if (NO_PATTERNS.has(key))
    return 'A policy holds no regular expressions; list the values with `in`.';
  return `Here a policy says ${allowed.join(', ')}.`;
}

function hintForType(value: unknown, issues: readonly Issue[]): string {
  const expected = new Set<string>();
  for (const issue of issues) if (issue.code === 'invalid_type') expected.add(issue.expected);
  const isWanted = (...kinds: string[]) => kinds.some((kind) => expected.has(kind));
  if (typeof value === 'number' && isWanted('number', 'int'))
    return Number.isFinite(value) ? 'Write a whole number.' : 'Write a finite number.';
  if (typeof value === 'string' && isWanted('number', 'int'))
    return Number.isFinite(Number(value)) && value.trim() !== ''
      ? `Write ${Number(value)} without quotes.`
      : 'Write a plain number, without quotes, units or formulas.';
  if (isWanted('boolean') && !isWanted('string')) return 'Write true or false, without quotes.';
  if (isWanted('object', 'record'))
    return 'Write `key: value` lines below it, indented by two spaces, or { key: value }.';
  if (isWanted('array') && !isWanted('string'))
    return 'Begin each item on a line of its own with `- `, or write [one, two].';
  if (isWanted('string'))
    return 'Write a text; put quotes around one that looks like a number or a date.';
  return 'The comments in the example policy show how it is written.';
}

function hintForText(value: unknown, path: DocumentPath): string {
  const last = path.at(-1);
  if (typeof value === 'string') {
    if (last === 'spend') return 'Write it as 500 EUR: an amount, a space, three capital letters.';
    if (last === 'within' || last === 'expires' || last === 'per')
      return 'Write a whole number and s, m, h or d, such as 30m.';
    if (last === 'id')
      return `Write it as ${
        value
          .toLowerCase()
          .replaceAll(/[^a-z0-9_-]+/g, '-')
          .replace(/^[-_]+/, '')
          .slice(0, 64) || 'my-rule'
      }.`;
    return 'Write names of actions, not formulas; * stands for a part of a segment, ** for several.';
  }
  return 'The comments in the example policy show how it is written.';
}

function countOf(origin: string): string {
  if (origin === 'array') return ' items';
  return origin === 'string' ? ' characters' : '';
}

/** `rules.2.when.acton`, for people. */
function inWords(path: DocumentPath): string {
  return path.length === 0 ? 'The policy' : `\`${path.join('.')}\``;
}

function valueAt(data: unknown, path: DocumentPath): unknown {
  let value = data;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step))
      return undefined;
    value = Reflect.get(value, step);
  }
  return value;
}

function kindOf(value: unknown): string {
  if (value === null) return 'empty';
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return `the text ${shown(value)}`;
  if (typeof value === 'number') return `the number ${value}`;
  return typeof value === 'boolean' ? String(value) : 'a group of keys';
}

function shown(value: unknown): string {
  if (typeof value === 'string')
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === 'object' && value !== null ? 'a group of keys' : String(value);
}

/** The words that the vocabulary has at a place, read off the schema for editors. */
function allowedKeys(path: DocumentPath, data: unknown): string[] {
  let nodes: SchemaNode[] = [schemaForEditors()];
  for (const [depth, step] of path.entries()) {
    const isIndex = Array.isArray(valueAt(data, path.slice(0, depth)));
    nodes = nodes
      .flatMap((node) => [node, ...(node.anyOf ?? [])])
      .flatMap((node) =>
        isIndex ? [node.items] : [node.properties?.[step] ?? node.additionalProperties],
      )
      .filter((node): node is SchemaNode => typeof node === 'object');
  }
  const keys = nodes
    .flatMap((node) => [node, ...(node.anyOf ?? [])])
    .flatMap(({ properties = {} }) => Object.keys(properties));
  return [...new Set(keys)];
}

/** Made once, and only for a policy with a mistake in it. */
let schema: SchemaNode | undefined;
function schemaForEditors(): SchemaNode {
  schema ??= SchemaNode.parse(z.toJSONSchema(PolicyDocument, { io: 'input' }));
  return schema;
}

/** What is read of a JSON Schema. */
interface SchemaNode {
  properties?: Record<string, SchemaNode> | undefined;
  items?: SchemaNode | undefined;
  additionalProperties?: SchemaNode | boolean | undefined;
  anyOf?: SchemaNode[] | undefined;
}
const SchemaNode: z.ZodType<SchemaNode> = z.object({
  properties: z
    .record(
      z.string(),
      z.lazy(() => SchemaNode),
    )
    .optional(),
  items: z.lazy(() => SchemaNode).optional(),
  additionalProperties: z.union([z.lazy(() => SchemaNode), z.boolean()]).optional(),
  anyOf: z.array(z.lazy(() => SchemaNode)).optional(),
});
