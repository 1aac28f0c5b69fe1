import { z } from 'zod';
import { PERMISSIONS, ROLES } from '../roles/roles.ts';

/*
 * Every word that a policy may use. Nothing here computes: a policy is data, and what it means is `compile`'s business.
 * The JSON Schema for editors is made from this, so texts here are what an author reads while typing.
 */

const MAX_RULES = 5_000;
/** Longest text that a policy may compare with. */
const MAX_TEXT = 1_024;

const Id = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9_-]{0,63}$/,
    'must be made of small letters, digits, - and _ (at most 64)',
  )
  .describe(
    'A name of its own, such as refund-small. It is what decisions and the log call the rule.',
  );

const ActionGlob = z
  .string()
  .max(200)
  .regex(
    /^(?:\*\*|[\w\-/:@*]+)(?:\.(?:\*\*|[\w\-/:@*]+))*$/,
    'must be an action such as crm.contacts.read, with * for (a part of) one segment or ** for one or more whole segments',
  )
  .refine((glob) => glob.split('.').every((part) => part === '**' || !part.includes('**')), {
    error: 'must have ** as a whole segment only, as in mail.**',
  });

const ActionGlobs = oneOrMore(ActionGlob).describe(
  'Which actions: a name, or several. * stands for (a part of) one segment, ** for one or more segments.',
);

const IdGlob = z.string().min(1).max(200).describe('An id; * stands for any characters.');

const ACTOR_KINDS = ['agent', 'human', 'system'] as const;

const Actor = z
  .strictObject({
    id: oneOrMore(IdGlob).optional(),
    kind: oneOrMore(z.enum(ACTOR_KINDS)).optional(),
  })
  .refine(({ id, kind }) => id !== undefined || kind !== undefined, {
    error: 'must say an id or a kind, else the rule is for everybody and needs no `actor`',
  })
  .describe('Who acts.');

const Duration = z
  .string()
  .regex(/^[1-9]\d{0,5}(?:s|m|h|d)$/, 'must be a duration such as 30s, 30m, 1h or 1d')
  .describe('A duration: 30s, 30m, 1h, 1d.');

const Limit = z.number().min(-1e15).max(1e15);
const Scalar = z.union([z.string().max(MAX_TEXT), Limit, z.boolean()], {
  error: 'must be a text, a number, true or false',
});

export const ArgumentCondition = z
  .strictObject({
    min: Limit.optional().describe('A number, at least this.'),
    max: Limit.optional().describe('A number, at most this.'),
    equals: Scalar.optional().describe('Exactly this; capital and small letters differ.'),
    in: z.array(Scalar).min(1).max(1_000).optional().describe('One of these.'),
    exists: z.boolean().optional().describe('Whether the argument was given at all.'),
  })
  .refine((condition) => Object.keys(condition).length > 0, {
    error: 'must say min, max, equals, in or exists',
  })
  .describe('What one argument has to be like, all of it.');

/** Dotted path of own properties: `total.amount`, `items.0.price`. */
export const ArgumentPath = z
  .string()
  .max(200)
  .regex(/^[^.\s]+(?:\.[^.\s]+){0,15}$/, 'must be a path such as amount or total.amount');

const When = z
  .strictObject({
    action: ActionGlobs,
    actor: Actor.optional(),
    args: z
      .record(ArgumentPath, ArgumentCondition)
      .optional()
      .describe('Arguments by path, such as amount or total.amount; every one of them has to fit.'),
    after: z
      .strictObject({ action: ActionGlobs, within: Duration })
      .optional()
      .describe('Only when the same actor did such an action within that time before.'),
  })
  .describe('What the rule is for; all of it has to fit.');

/** A rule that asks others could never be met. */
const VOTERS = ROLES.filter((role) => PERMISSIONS['approvals.vote'][role]);

const approvalFields = {
  from: z.array(z.enum(VOTERS)).min(1).optional().describe('Roles of which any may approve.'),
  quorum: z.int().min(1).max(20).optional().describe('How many different people have to approve.'),
  not: z
    .array(z.enum(['requester', 'owner', 'policy_author']))
    .optional()
    .describe('Who may not approve.'),
  expires: Duration.optional().describe(
    'After how long the request lapses. Lapsing never approves.',
  ),
};

const Approve = z
  .strictObject({
    ...approvalFields,
    // Spelt out for the reader; there is no other word, for expiry never approves.
    // oxlint-disable-next-line unicorn/no-thenable
    then: z.literal('deny').optional().describe('What becomes of a request that lapsed: deny.'),
  })
  .describe('A person has to approve each time.');

const CountedAs = {
  per: z
    .union([z.enum(['minute', 'hour', 'day', 'week']), Duration], {
      error: 'must be minute, hour, day, week or a duration such as 30m',
    })
    .describe('The stretch of time that the limit is for.'),
  by: z
    .enum(['agent', 'run', 'tool', 'all'])
    .describe(
      'Who shares the limit: each agent has its own, each run, each tool, or all share one.',
    ),
};

const RuleLimit = z
  .strictObject({
    calls: z.int().min(1).max(1e9).optional().describe('At most so many calls.'),
    spend: z
      .string()
      .regex(
        /^\d{1,12}(?:\.\d{1,3})? [A-Z]{3}$/,
        'must be an amount and a currency, such as 500 EUR',
      )
      .optional()
      .describe('At most so much money, such as 500 EUR.'),
    tokens: z.int().min(1).max(1e12).optional().describe('At most so many tokens.'),
    amount: ArgumentPath.optional().describe(
      'For spend and tokens: the argument that says how much this call takes.',
    ),
    amount_in: z
      .enum(['major', 'minor'])
      .optional()
      .describe(
        'For spend: whether the argument is in euros (major, the default) or cents (minor).',
      ),
    currency: ArgumentPath.optional().describe(
      'For spend: the argument that names the currency; another one than that of the limit is refused.',
    ),
    counted: z
      .literal('afterwards')
      .optional()
      .describe(
        'For spend and tokens, instead of amount: what the tool reports when it is done counts; one such call at a time, and one that reports nothing uses up the limit.',
      ),
    ...CountedAs,
  })
  .superRefine((limit, context) => {
    const measures = (['calls', 'spend', 'tokens'] as const).filter(
      (word) => limit[word] !== undefined,
    );
    if (measures.length !== 1) {
      context.addIssue(
        'must say exactly one of calls, spend and tokens; for more, write a list of limits',
      );
      return;
    }
    const [measure] = measures;
    const sources = [limit.amount, limit.counted].filter((source) => source !== undefined).length;
    if (measure === 'calls' && sources > 0)
      context.addIssue('must not say amount or counted with calls: each call counts as one');
    if (measure !== 'calls' && sources !== 1)
      context.addIssue(
        `must say where the ${measure} of a call are read: \`amount: PATH\` of an argument, or \`counted: afterwards\``,
      );
    if (limit.amount_in !== undefined && (measure !== 'spend' || limit.amount === undefined))
      context.addIssue('must say amount_in only for spend that is read from an argument');
    if (limit.currency !== undefined && measure !== 'spend')
      context.addIssue('must say currency only for spend');
  })
  .describe('How much may be done.');

const Rule = z
  .strictObject({
    id: Id,
    description: z.string().max(500).optional().describe('Why the rule is there, for people.'),
    when: When,
    tier: z
      .literal([1, 2, 3, 4])
      .optional()
      .describe(
        '1 observes, 2 can be taken back, 3 reaches outside, 4 never. The highest that is said wins.',
      ),
    allow: z.literal(true).optional().describe('The action may run.'),
    approve: Approve.optional(),
    block: z
      .literal(true)
      .optional()
      .describe('The action must not run, whatever other rules say.'),
    limit: z
      .union([RuleLimit, z.array(RuleLimit).min(1).max(8)])
      .optional()
      .describe('One limit or a list of them.'),
    mode: z
      .enum(['live', 'shadow'])
      .optional()
      .describe('shadow: only reported, for trying a rule out. Default: live.'),
  })
  .superRefine((rule, context) => {
    const effects = (['allow', 'approve', 'block'] as const).filter(
      (word) => rule[word] !== undefined,
    );
    if (effects.length !== 1)
      context.addIssue(
        effects.length === 0
          ? 'must say one of `allow: true`, `approve: { … }` and `block: true`'
          : `must say only one of allow, approve and block, and says ${effects.join(' and ')}`,
      );
    if (rule.block && rule.limit !== undefined)
      context.addIssue({
        code: 'custom',
        path: ['limit'],
        message: 'limits nothing: the rule blocks',
      });
    if (rule.tier === 4 && !rule.block)
      context.addIssue({
        code: 'custom',
        path: ['tier'],
        message:
          'is never done by an agent, so the rule could never let anything run; write `block: true`',
      });
  });

const OUTCOME_WORDS = ['allow', 'approve', 'block'] as const;

const InlineTest = z
  .strictObject({
    name: z.string().max(200).optional().describe('What the test shows, for people.'),
    given: z
      .strictObject({
        action: z.string().min(1).max(256),
        args: z.json().optional().describe('The arguments of the call.'),
        actor: z
          .strictObject({ kind: z.enum(ACTOR_KINDS).optional(), id: z.string().optional() })
          .optional()
          .describe('Who asks; an agent named test when left out.'),
        tier: z.literal([1, 2, 3, 4]).optional().describe("What the tool's author declared."),
        after: oneOrMore(z.string().min(1).max(256))
          .optional()
          .describe('Actions that the same actor did a moment ago.'),
      })
      .describe('What is asked.'),
    expect: z.enum(OUTCOME_WORDS).describe('What the policy has to answer.'),
    rule: z.string().optional().describe('Which rule has to be the one that decided.'),
  })
  .describe('An example that has to come out as written, else the policy is not loaded.');

/** A policy as written: `config/governance_policies.yaml`. */
export const PolicyDocument = z.strictObject({
  version: z.literal(1).describe('Of this vocabulary.'),
  defaults: z
    .strictObject({
      unknown_action: z
        .literal('block')
        .optional()
        .describe(
          'Spelt out for the reader: what nobody knows is blocked. There is no other word.',
        ),
      approve: z
        .strictObject(approvalFields)
        .optional()
        .describe('What approve rules mean that do not say it themselves.'),
    })
    .optional(),
  rules: z.array(Rule).max(MAX_RULES),
  tests: z.array(InlineTest).max(5_000).optional(),
});
export type PolicyDocument = z.output<typeof PolicyDocument>;

export type RuleDocument = PolicyDocument['rules'][number];
export type WhenDocument = RuleDocument['when'];
export type ArgumentConditionDocument = NonNullable<WhenDocument['args']>[string];
export type LimitDocument = z.output<typeof RuleLimit>;
export type InlineTestDocument = NonNullable<PolicyDocument['tests']>[number];
export type ScalarDocument = z.output<typeof Scalar>;

function oneOrMore<Item extends z.ZodType>(item: Item) {
  return z.union([item, z.array(item).min(1).max(100)]);
}

/** A word that may stand alone or in a list. */
export function listOf<Item>(value: Item | Item[] | undefined): readonly Item[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}
