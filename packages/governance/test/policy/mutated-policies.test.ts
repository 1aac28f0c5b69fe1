import { readFile } from 'node:fs/promises';
import {
  defaultPolicyFile,
  type LoadedPolicy,
  loadPolicy,
  type PolicyDecision,
  type PolicyProblem,
} from '@buddy/governance';
import { describe, expect, it } from 'vitest';
import { ask, type Asked, askUndeclared, policyOf, STRICTNESS } from './asking.ts';

/**
 * Everything that the vocabulary has, with examples that hold its meaning: no vocabulary can know that `country` is what the
 * tool calls it, so an example has to.
 */
const RICH = `version: 1
defaults:
  unknown_action: block
  approve:
    from: [operator, admin]
    quorum: 1
    not: [requester]
    expires: 4h
rules:
  - id: refund-small
    description: Small refunds need nobody.
    when:
      action: payments.refund
      actor: { kind: agent, id: "support-*" }
      args:
        total.amount: { max: 50 }
        total.currency: { equals: EUR }
    tier: 2
    allow: true
    limit:
      - { spend: 500 EUR, amount: total.amount, currency: total.currency, per: day, by: agent }
      - { calls: 20, per: 1h, by: all }
  - id: refund-large
    when:
      action: payments.refund
      args:
        total.amount: { min: 50 }
    tier: 3
    approve:
      from: [operator]
      quorum: 2
      not: [requester, owner]
      expires: 30m
      then: deny
    limit: { calls: 5, per: day, by: all }
  - id: refund-abroad
    when:
      action: payments.refund
      args:
        country: { exists: true, in: [KP, IR] }
    block: true
  - id: mail
    when:
      action: [mail.send, mail.reply]
    tier: 3
    allow: true
    limit: { tokens: 10000, counted: afterwards, per: week, by: run }
  - id: no-leak
    when:
      action: mail.*
      after: { action: crm.**, within: 30m }
    block: true
  - id: no-forward
    when:
      action: mail.send
      args:
        forward: { exists: true, equals: true }
    tier: 4
    block: true
  - id: watch
    when:
      action: mail.send
    block: true
    mode: shadow
tests:
  - { name: small, given: { action: payments.refund, actor: { id: support-1 }, args: { total: { amount: 40, currency: EUR } } }, expect: allow, rule: refund-small }
  - { name: large, given: { action: payments.refund, args: { total: { amount: 900 } } }, expect: approve, rule: refund-large }
  - { name: abroad, given: { action: payments.refund, args: { total: { amount: 40 }, country: KP } }, expect: block, rule: refund-abroad }
  - { name: leak, given: { action: mail.send, after: crm.contacts.read }, expect: block, rule: no-leak }
  - { name: forward, given: { action: mail.send, args: { forward: true } }, expect: block, rule: no-forward }
  - { name: forward of a wrong type, given: { action: mail.send, args: { forward: maybe } }, expect: block, rule: no-forward }
  - { name: mail, given: { action: mail.send }, expect: allow, rule: mail }
`;

interface Mutant {
  what: string;
  text: string;
}

describe('a policy with a mistake in it', () => {
  it('is refused with line, column and hint, or decides no less strictly', async () => {
    const shipped = await readFile(defaultPolicyFile, 'utf8');
    const seen = [...tried(RICH, richProbes), ...tried(shipped, shippedProbes)];
    expect(seen.filter(({ objection }) => objection !== undefined)).toEqual([]);
    // Of ours: so many are mistakes that a reader must not get away with.
    expect(seen.filter(({ isRefused }) => isRefused).length).toBeGreaterThanOrEqual(300);
  }, 600_000);
});

interface Trial {
  what: string;
  isRefused: boolean;
  /** What is wrong with how the mistake was taken. */
  objection: string | undefined;
}

function tried(text: string, probes: (policy: LoadedPolicy) => PolicyDecision[]): Trial[] {
  const before = probes(policyOf(text));
  return sampled(mutantsOf(text)).map(({ what, text: mutated }) => {
    const result = loadPolicy(mutated, { source: 'mutant.yaml' });
    if (!result.ok) {
      const objection = result.problems
        .map((problem) => placeObjection(problem, mutated))
        .find(Boolean);
      return { what, isRefused: true, objection };
    }
    const objection = probes(result.policy)
      .map((decision, n) => laxness(decision, before[n]))
      .find(Boolean);
    return { what, isRefused: false, objection };
  });
}

/** All of them in the nightly script, else one in nine. */
function sampled(mutants: Mutant[]): Mutant[] {
  return process.env['BUDDY_CASES'] === undefined
    ? mutants.filter((_mutant, n) => n % 9 === 0)
    : mutants;
}

function placeObjection(problem: PolicyProblem, text: string): string | undefined {
  const { line, column, hint, message } = problem;
  const written = text.split(/\r?\n/)[line - 1];
  if (written === undefined) return `there is no line ${line}`;
  if (!(column >= 1 && column <= written.length + 1)) return `line ${line} has no column ${column}`;
  if (hint.length < 10) return `no hint: ${message}`;
  return message.length < 10 ? 'no message' : undefined;
}

/** In what way a decision lets more happen than the one before the mistake. */
function laxness(decision: PolicyDecision, before: PolicyDecision | undefined): string | undefined {
  if (!before) return 'another number of questions';
  if (STRICTNESS[decision.outcome] < STRICTNESS[before.outcome])
    return `${decision.outcome} by ${decision.rule} in place of ${before.outcome} by ${before.rule}`;
  if (decision.outcome === 'deny') return undefined;
  if (decision.tier < before.tier) return `tier ${decision.tier} in place of ${before.tier}`;
  if ((decision.approval?.quorum ?? 9) < (before.approval?.quorum ?? 0)) return 'fewer people';
  const lost = before.limits.find(
    ({ measure, by, windowMs, allowed }) =>
      !decision.limits.some(
        (limit) =>
          limit.measure === measure &&
          limit.by === by &&
          limit.windowMs >= windowMs &&
          limit.allowed <= allowed,
      ),
  );
  return lost && `no limit of ${lost.measure} by ${lost.by}`;
}

/** Questions on both sides of every condition. */
function richProbes(policy: LoadedPolicy): PolicyDecision[] {
  const support: Asked = { actor: { kind: 'agent', id: 'support-1' } };
  const others: Asked[] = [
    {},
    support,
    { actor: { kind: 'human', id: 'support-1' } },
    { ...support, done: ['crm.contacts.read'] },
    { declaredTier: 3 },
  ];
  const inputs: unknown[] = [
    {},
    undefined,
    ...[0, 40, 50, 51, 900, -5, '40', null].map((amount) => ({
      total: { amount, currency: 'EUR' },
    })),
    { total: { amount: 40, currency: 'USD' } },
    { total: { amount: 40 }, country: 'KP' },
    { total: { amount: 40, currency: 'EUR' }, country: 'IR' },
    { total: { amount: 40, currency: 'EUR' }, country: 'DE' },
    { forward: true },
    { forward: false },
    { forward: 'yes' },
  ];
  const actions = [
    'payments.refund',
    'payments.charge',
    'mail.send',
    'mail.reply',
    'mail.delete',
    'crm.contacts.read',
  ];
  return actions.flatMap((action) =>
    inputs.flatMap((input) => [
      askUndeclared(policy, action, input),
      ...others.map((other) => ask(policy, action, input, other)),
    ]),
  );
}

function shippedProbes(policy: LoadedPolicy): PolicyDecision[] {
  const actions = [
    'mployer.contacts.search',
    'mployer.contacts.delete',
    'example.tasks.do',
    'sandbox.run',
    'sandbox.stop',
    'unknown',
    ...[
      'find',
      'search',
      'create',
      'update',
      'upsert',
      'delete',
      'delete_all',
      'bulk_delete',
      'export',
    ].map((verb) => `gohighlevel.contacts.${verb}`),
    ...['users.create', 'api_keys.create', 'notes.create', 'tags.add'].map(
      (rest) => `gohighlevel.${rest}`,
    ),
    ...[
      'mail.send',
      'mail.reply',
      'mail.forward',
      'mail.draft',
      'mail.search',
      'mail.delete',
      'users.create',
      'permissions.grant',
      'rules.create',
    ].map((rest) => `msgraph.${rest}`),
    'governance.policy.load',
    'policy.change',
    'approvals.approve',
    'audit.delete',
    'payments.refund',
  ];
  return actions.flatMap((action) => [
    askUndeclared(policy, action),
    ...([1, 2, 3, 4] as const).map((declaredTier) => ask(policy, action, {}, { declaredTier })),
  ]);
}

/** One mistake each, of every kind that a hand makes, at every place where it can. */
function mutantsOf(text: string): Mutant[] {
  return [
    ...misspeltKeys(text),
    ...wrongValues(text),
    ...brokenLines(text),
    ...brokenFiles(text),
  ].filter((mutant) => mutant.text !== text);
}

/** Keys of the vocabulary, wherever one is written. */
const KEY = /(?<=^|[\s{,-])([a-z_]+)(?=:(?:\s|$))/gm;

function misspeltKeys(text: string): Mutant[] {
  return placesOf(text, KEY).flatMap(({ word, line, replace }) => {
    const variants = {
      'swapped letters': word.length > 2 ? `${word[1]}${word[0]}${word.slice(2)}` : `${word}x`,
      'a letter too few': word.slice(0, -1) || 'x',
      'a capital': `${word[0]?.toUpperCase()}${word.slice(1)}`,
      'no colon': null,
    };
    return Object.entries(variants).map(([what, variant]) => ({
      what: `line ${line}: ${word} with ${what}`,
      text: variant === null ? replace(word, 1) : replace(variant),
    }));
  });
}

/** Values that stand alone after their key. */
const VALUE =
  /(?<=(?:^|[\s{,-])(?:version|tier|allow|block|quorum|calls|spend|tokens|per|by|within|expires|then|mode|min|max|equals|exists|expect|unknown_action|counted|kind): )([^\s,{}[\]][^,{}[\]\n]*?)(?=\s*[,}\n])/gm;

function wrongValues(text: string): Mutant[] {
  return placesOf(text, VALUE).flatMap(({ word, line, replace }) => {
    const isNumber = /^-?\d+$/.test(word);
    const isFlag = word === 'true' || word === 'false';
    const variants = [
      `"${word} "`,
      `{ value: ${word} }`,
      `[[${word}]]`,
      '',
      '~',
      `input.amount > ${isNumber ? word : 5}`,
      `\${${isNumber ? word : 'env'}}`,
      `!!js/function ${word}`,
      `*${isFlag ? 'yes' : 'anchor'}`,
      `@${word}`,
      ...(isNumber
        ? [
            `"${word}"`,
            `${word}_`,
            `${word} EUR`,
            `-${word}`,
            '.nan',
            '.inf',
            '1e400',
            `'0x${word}'`,
          ]
        : []),
      ...(isFlag ? ['yes', 'on', '"true"', '1', 'tru', 'TRUE!'] : []),
      ...(!isNumber && !isFlag ? ['0', 'never', 'true', `${word}x`, `/${word}/`] : []),
    ];
    return variants.map((variant) => ({
      what: `line ${line}: ${word} as ${variant}`,
      text: replace(variant),
    }));
  });
}

function brokenLines(text: string): Mutant[] {
  const lines = text.split('\n');
  return lines.flatMap((line, n) => {
    if (line.trim() === '' || line.trim().startsWith('#')) return [];
    const change = (what: string, ...replacement: string[]) => ({
      what: `line ${n + 1}: ${what}`,
      text: lines.toSpliced(n, 1, ...replacement).join('\n'),
    });
    const isEffect = /^\s+(?:allow|block): true$/.test(line);
    return [
      change('written twice', line, line),
      change('indented by a tab', `\t${line.trimStart()}`),
      change('indented by one space more', ` ${line}`),
      change(
        'indented by odd spaces',
        line.replace(/^ +/, (spaces) => '\u00A0'.repeat(spaces.length)),
      ),
      change('a quote left open', line.replace(/: (?=[\w[{])/, ': "')),
      change('a bracket left open', line.replace(/[\]}]\s*$/, '')),
      change('a bracket too many', `${line} ]`),
      change('cut in the middle', line.slice(0, Math.ceil((line.length + line.search(/\S/)) / 2))),
      ...(isEffect
        ? [
            change('effect left out'),
            change('effect commented out', `# ${line}`),
            change('two effects', line, `${line.replace(/\S.*/, '')}approve: {}`),
          ]
        : []),
    ];
  });
}

function brokenFiles(text: string): Mutant[] {
  const first = text.indexOf('version: 1');
  const bomb = [
    'x0: &x0 [1,1,1,1,1,1,1,1,1]',
    ...[1, 2, 3, 4, 5, 6, 7, 8].map((n) => `x${n}: &x${n} [${`*x${n - 1},`.repeat(9)}]`),
  ].join('\n');
  const mutants: Record<string, string> = {
    'an anchor bomb': `${bomb}\n${text}`,
    'a merge key': text
      .replace('rules:', 'base: &base { allow: true }\nrules:')
      .replace(/^ {4}block: true$/m, '    <<: *base'),
    'a second document': `${text}\n---\n${text}`,
    'an empty second document': `${text}\n---\n`,
    'another YAML': `%YAML 1.1\n---\n${text.slice(first)}`,
    'rules twice': `${text}\nrules: []\n`,
    'a reserved name': `${text}\n__proto__: { rules: [] }\n`,
    'a constructor': `${text}\nconstructor: 1\n`,
    'an import': `${text}\ninclude: other.yaml\n`,
    'a list': `- ${text.replaceAll('\n', '\n  ')}`,
    'JSON with a comma too many': `{ "version": 1, "rules": [,] }`,
    'half of it': text.slice(0, Math.floor(text.length / 3)),
    'a null byte': text.replace('rules:', 'rules\u0000:'),
    'a text only': JSON.stringify(text),
    nothing: '',
    'comments only': '# version: 1\n',
    'no rules': text.slice(0, text.indexOf('rules:')),
    'no version': text.replace('version: 1', ''),
  };
  return Object.entries(mutants).map(([what, mutant]) => ({ what, text: mutant }));
}

interface Place {
  word: string;
  /** From 1. */
  line: number;
  /** @param more How many characters after the word go, too. */
  replace: (word: string, more?: number) => string;
}

function placesOf(text: string, pattern: RegExp): Place[] {
  return [...text.matchAll(pattern)].flatMap((match) => {
    const [word] = match;
    const lineStart = text.lastIndexOf('\n', match.index) + 1;
    if (text.slice(lineStart).trimStart().startsWith('#')) return [];
    return [
      {
        word,
        line: text.slice(0, match.index).split('\n').length,
        replace: (other, more = 0) =>
          text.slice(0, match.index) + other + text.slice(match.index + word.length + more),
      },
    ];
  });
}
