import { readFile } from 'node:fs/promises';
import {
  defaultPolicyFile,
  formatPolicyProblem,
  loadPolicy,
  policyJsonSchema,
} from '@buddy/governance';
import { describe, expect, it } from 'vitest';
import { ask, policyOf, problemsOf } from './asking.ts';

const RULE = '{ id: a, when: { action: x }, allow: true }';
const inRules = (rule: string) => `version: 1\nrules:\n  - ${rule}\n`;

const reachable = (...rules: string[]) =>
  problemsOf(
    `version: 1\nrules:\n${rules.map((rule, n) => `  - { id: r${n}, ${rule} }\n`).join('')}`,
  ).every(({ code }) => code !== 'UNREACHABLE_RULE');

/** What a mail after a look at customers is expected to come out as. */
const leakTest = (expected: string) => `version: 1
rules:
  - { id: send, when: { action: send }, tier: 2, allow: true }
  - { id: leak, when: { action: send, after: { action: read, within: 1h } }, block: true }
tests:
  - { given: { action: send }, expect: allow, rule: send }
  - { name: No leak, given: { action: send, after: read }, expect: ${expected} }
`;

describe('a policy is refused, with its line, column and a hint, for', () => {
  it.each([
    [
      'an unknown key',
      `version: 1\nrules:\n  - id: a\n    wehn: { action: x }\n    allow: true\n`,
      4,
      5,
      'UNKNOWN_KEY',
      'Did you mean `when`?',
    ],
    [
      'a key of another system',
      inRules('{ id: a, when: { action: x }, deny: true }'),
      3,
      35,
      'UNKNOWN_KEY',
      'Did you mean `block`?',
    ],
    [
      'an expression',
      inRules('{ id: a, when: { action: x, if: amount > 5 }, allow: true }'),
      3,
      33,
      'UNKNOWN_KEY',
      'no expressions',
    ],
    [
      'a regular expression',
      inRules('{ id: a, when: { action: x, args: { to: { regex: ".*" } } }, allow: true }'),
      3,
      47,
      'UNKNOWN_KEY',
      'no regular expressions',
    ],
    [
      'a wrong type',
      inRules('{ id: a, when: { action: x, args: { n: { max: "50" } } }, allow: true }'),
      3,
      51,
      'WRONG_TYPE',
      'Write 50 without quotes.',
    ],
    [
      'yes in place of true',
      inRules('{ id: a, when: { action: x }, allow: yes }'),
      3,
      42,
      'WRONG_VALUE',
      'Write true, without quotes.',
    ],
    [
      'a wrong word',
      inRules('{ id: a, when: { action: x }, approve: { from: [operater] } }'),
      3,
      53,
      'WRONG_VALUE',
      'Did you mean `operator`?',
    ],
    [
      'voters who may not vote',
      inRules('{ id: a, when: { action: x }, approve: { from: [user] } }'),
      3,
      53,
      'WRONG_VALUE',
      'Write admin or operator',
    ],
    [
      'a missing key',
      'version: 1\nrules:\n  - id: a\n    allow: true\n',
      3,
      5,
      'MISSING_KEY',
      'Add `when:` here',
    ],
    [
      'a key twice',
      'version: 1\nrules: []\nrules: []\n',
      3,
      1,
      'DUPLICATE_KEY',
      'Keep one of the two',
    ],
    ['a tab', 'version: 1\nrules:\n\t- id: a\n', 3, 1, 'YAML_SYNTAX', 'Indent with spaces'],
    [
      'a merge key',
      `version: 1\nrules:\n  - <<: ${RULE}\n`,
      3,
      5,
      'YAML_FEATURE',
      'Write the keys out',
    ],
    [
      'a reserved name',
      inRules('{ id: a, when: { action: x, args: { __proto__: { max: 1 } } }, allow: true }'),
      3,
      41,
      'UNKNOWN_KEY',
      'Rename the argument',
    ],
    [
      'two effects',
      inRules('{ id: a, when: { action: x }, allow: true, block: true }'),
      3,
      5,
      'WRONG_VALUE',
      'comments in the example',
    ],
    [
      'no effect',
      inRules('{ id: a, when: { action: x } }'),
      3,
      5,
      'WRONG_VALUE',
      'comments in the example',
    ],
    [
      'a rule id twice',
      `version: 1\nrules:\n  - ${RULE}\n  - { id: a, when: { action: y }, allow: true }\n`,
      4,
      11,
      'DUPLICATE_RULE',
      'another id',
    ],
    [
      'a condition that nothing meets',
      inRules('{ id: a, when: { action: x, args: { n: { min: 5, max: 4 } } }, allow: true }'),
      3,
      44,
      'IMPOSSIBLE_CONDITION',
      'Swap',
    ],
    [
      'values of several types',
      inRules('{ id: a, when: { action: x, args: { n: { in: [1, one] } } }, allow: true }'),
      3,
      44,
      'IMPOSSIBLE_CONDITION',
      'Write all as texts',
    ],
    [
      'a currency that there is not',
      inRules(
        '{ id: a, when: { action: x }, allow: true, limit: { spend: 5 EUX, counted: afterwards, per: day, by: all } }',
      ),
      3,
      64,
      'WRONG_VALUE',
      'ISO 4217',
    ],
    [
      'a limit of nothing',
      inRules(
        '{ id: a, when: { action: x }, block: true, limit: { calls: 5, per: day, by: all } }',
      ),
      3,
      55,
      'WRONG_VALUE',
      'comments',
    ],
    [
      'spend from nowhere',
      inRules(
        '{ id: a, when: { action: x }, allow: true, limit: { spend: 5 EUR, per: day, by: all } }',
      ),
      3,
      55,
      'WRONG_VALUE',
      'comments',
    ],
    [
      'a failing example',
      `version: 1\nrules:\n  - ${RULE}\ntests:\n  - { given: { action: x, tier: 1 }, expect: block }\n`,
      5,
      46,
      'TEST_FAILED',
      'Change the rule or the example',
    ],
    ['an empty file', '', 1, 1, 'WRONG_TYPE', 'key: value'],
    ['another version', 'version: 2\nrules: []\n', 1, 10, 'WRONG_VALUE', 'Write 1'],
    ['brackets without end', '['.repeat(100_000), 1, expect.any(Number), 'YAML_SYNTAX', 'brackets'],
    [
      'too much text',
      `#${'x'.repeat(1_100_000)}\nversion: 1\nrules: []\n`,
      1,
      1,
      'TOO_LARGE',
      'Merge rules',
    ],
  ])('%s', (_what, text, line, column, code, hint) => {
    const [problem] = problemsOf(text);
    expect(problem).toMatchObject({ source: 'test.yaml', line, column, code });
    expect(problem?.hint).toContain(hint);
  });

  it('an alias that stands for ever more', () => {
    const bomb = [
      'a0: &a0 [1,1,1,1,1,1,1,1,1]',
      ...[1, 2, 3, 4, 5, 6, 7].map((n) => `a${n}: &a${n} [${`*a${n - 1},`.repeat(9)}]`),
    ];
    expect(problemsOf(bomb.join('\n'))[0]).toMatchObject({ code: 'YAML_FEATURE', line: 2 });
  });

  it('all of its problems at once, in the order of the text', () => {
    const problems = problemsOf(
      'versoin: 1\nrules:\n  - { id: A, when: { action: x }, allow: true }\n  - { id: b, when: {}, allow: 1 }\n',
    );
    expect(problems.map(formatPolicyProblem)).toEqual([
      'test.yaml:1:1: `versoin` is no word of a policy. Did you mean `version`?',
      'test.yaml:3:11: `rules.0.id` must be made of small letters, digits, - and _ (at most 64). Write it as a.',
      'test.yaml:4:20: `rules.1.when.action` is missing. Add `action:` here, which is a text or a list.',
      'test.yaml:4:31: `rules.1.allow` is 1, and must be true. Write true, without quotes.',
    ]);
  });
});

describe('a rule that can decide nothing is refused', () => {
  it.each([
    [
      'allowed under a block of all',
      'when: { action: a.* }, allow: true',
      'when: { action: "**" }, block: true',
    ],
    [
      'allowed where approval is asked for',
      'when: { action: a, args: { n: { max: 50 } } }, allow: true',
      'when: { action: a }, approve: {}',
    ],
    [
      'a narrower range under a block',
      'when: { action: a, args: { n: { min: 5, max: 9 } } }, approve: {}',
      'when: { action: a, args: { n: { min: 5 } } }, block: true',
    ],
    [
      'listed values under a block',
      'when: { action: [a, b], args: { t: { equals: x } } }, allow: true',
      'when: { action: [b, a], args: { t: { in: [x, y] } } }, block: true',
    ],
    [
      'for some actors under a block of their kind',
      'when: { action: a, actor: { kind: agent, id: x-1 } }, allow: true',
      'when: { action: a, actor: { kind: [agent, human], id: x-* } }, block: true',
    ],
    [
      'after less under a block',
      'when: { action: a, after: { action: b.c, within: 5m } }, allow: true',
      'when: { action: a, after: { action: b.*, within: 1h } }, block: true',
    ],
    [
      'the same again',
      'when: { action: [a, b] }, allow: true',
      'when: { action: [b, a] }, allow: true, tier: 2',
    ],
  ])('%s', (_what, one, other) => {
    expect(reachable(one, other)).toBe(false);
    expect(reachable(other, one)).toBe(false);
  });

  it.each([
    [
      'a wider range',
      'when: { action: a, args: { n: { min: 4 } } }, allow: true',
      'when: { action: a, args: { n: { min: 5 } } }, block: true',
    ],
    ['more actions', 'when: { action: a.** }, allow: true', 'when: { action: a.* }, block: true'],
    [
      'more segments',
      'when: { action: a.**.x }, allow: true',
      'when: { action: a.*.*.x }, block: true',
    ],
    [
      'more actors',
      'when: { action: a }, allow: true',
      'when: { action: a, actor: { kind: agent } }, block: true',
    ],
    [
      'missing arguments',
      'when: { action: a, args: { n: { min: 5 } } }, allow: true',
      'when: { action: a, args: { n: { exists: true } } }, block: true',
    ],
    [
      'a limit of its own',
      'when: { action: a }, allow: true, limit: { calls: 1, per: day, by: all }',
      'when: { action: a }, approve: {}',
    ],
    [
      'a tier of its own',
      'when: { action: a }, allow: true, tier: 2',
      'when: { action: a }, approve: {}, tier: 1',
    ],
    [
      'a block for its own reason',
      'when: { action: a }, block: true',
      'when: { action: "**" }, block: true',
    ],
    [
      'a rule that only watches',
      'when: { action: a }, allow: true',
      'when: { action: a }, block: true, mode: shadow',
    ],
  ])('but not for %s', (_what, one, other) => {
    expect(reachable(one, other)).toBe(true);
    expect(reachable(other, one)).toBe(true);
  });
});

describe('a policy', () => {
  it('may name only tools that there are, when they are told', () => {
    const text =
      'version: 1\nrules:\n  - { id: a, when: { action: [mial.send, crm.*] }, block: true }\n';
    expect(problemsOf(text)).toEqual([]);
    expect(problemsOf(text, ['mail.send', 'crm.read'])).toMatchObject([
      { line: 3, column: 31, code: 'UNKNOWN_TOOL', hint: 'Did you mean `mail.send`?' },
    ]);
  });

  it('may say a thing once and refer to it', () => {
    const policy = policyOf(
      'version: 1\nrules:\n  - { id: a, when: { action: &all [x, y] }, allow: true }\n  - { id: b, when: { action: *all, actor: { kind: human } }, block: true }\n',
    );
    expect(ask(policy, 'y').outcome).toBe('allow');
  });

  it('tries its examples, with what was done before', () => {
    expect(problemsOf(leakTest('block'))).toEqual([]);
    expect(problemsOf(leakTest('allow'))[0]?.message).toBe(
      'The example "No leak" comes out otherwise: expected allow, and got block by rule leak (POLICY_BLOCKED)',
    );
  });

  it('has a schema for editors, which is current and which the shipped policy names', async () => {
    const schema: unknown = JSON.parse(
      await readFile(new URL('governance_policies.schema.json', defaultPolicyFile), 'utf8'),
    );
    expect(schema, 'run: node --conditions=@buddy/source config/write-schema.ts').toEqual(
      policyJsonSchema(),
    );
    const text = await readFile(defaultPolicyFile, 'utf8');
    expect(text.split('\n')[0]).toBe(
      '# yaml-language-server: $schema=./governance_policies.schema.json',
    );
    expect(loadPolicy(text, { source: 'governance_policies.yaml' }).ok).toBe(true);
  });
});
