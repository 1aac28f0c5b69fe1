import { createGraphMailMock, type MailMessage } from '@buddy/mocks';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filledMailbox } from './graph/filled-mailbox.ts';

/** Many runs, on a machine that may be busy. */
const SLOW = { timeout: 30_000 };

/** A filter, and what it means: written independently of the mock's own parser and compiler. */
interface Said {
  text: string;
  holds: (message: MailMessage) => boolean;
}

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
const folded = (text: string) => text.toLowerCase();

/** How long ago the sample messages came, so that times are often equal. */
const SAMPLE_HOURS = [72, 30, 20, 4, 1];
const WORDS = [
  'proposal',
  'Renewal',
  'RE: ',
  '',
  'the',
  'a',
  "o'clock",
  'PRIYA',
  'example',
  '(',
  'Question about the proposal',
  'priya.raman@example.org',
];
const word = fc.oneof(fc.constantFrom(...WORDS), fc.string({ maxLength: 3 }));

const TEXTS: readonly [string, (message: MailMessage) => string][] = [
  ['subject', ({ subject }) => subject],
  ['bodyPreview', ({ bodyPreview }) => bodyPreview],
  ['from/emailAddress/address', ({ from }) => from?.emailAddress.address ?? ''],
  ['from/emailAddress/name', ({ from }) => from?.emailAddress.name ?? ''],
  ['sender/emailAddress/address', ({ sender }) => sender?.emailAddress.address ?? ''],
];
const BOOLEANS: readonly [string, (message: MailMessage) => boolean][] = [
  ['isRead', ({ isRead }) => isRead],
  ['isDraft', ({ isDraft }) => isDraft],
  ['hasAttachments', ({ hasAttachments }) => hasAttachments],
];
const TIMES: readonly [string, (message: MailMessage) => string][] = [
  ['receivedDateTime', ({ receivedDateTime }) => receivedDateTime],
  ['sentDateTime', ({ sentDateTime }) => sentDateTime],
];
const COMPARE = {
  eq: (order: number) => order === 0,
  ne: (order: number) => order !== 0,
  gt: (order: number) => order > 0,
  ge: (order: number) => order >= 0,
  lt: (order: number) => order < 0,
  le: (order: number) => order <= 0,
};
const comparison = fc.constantFrom('eq', 'ne', 'gt', 'ge', 'lt', 'le');
const equality = fc.constantFrom('eq', 'ne');

const orderOf = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

const textFunction = fc
  .tuple(
    fc.constantFrom(...TEXTS),
    fc.constantFrom('contains', 'startswith', 'startsWith', 'endswith'),
    word,
  )
  .map(([[path, of], name, part]): Said => {
    const test = { contains: 'includes', startswith: 'startsWith', endswith: 'endsWith' } as const;
    const method = name === 'startsWith' ? 'startsWith' : test[name];
    return {
      text: `${name}(${path}, ${quoted(part)})`,
      holds: (message) => folded(of(message))[method](folded(part)),
    };
  });

const leaf: fc.Arbitrary<Said> = fc.oneof(
  textFunction,
  fc.tuple(fc.constantFrom(...TEXTS), comparison, word).map(([[path, of], by, to]) => ({
    text: `${path} ${by} ${quoted(to)}`,
    holds: (message: MailMessage) => COMPARE[by](orderOf(folded(of(message)), folded(to))),
  })),
  fc.tuple(fc.constantFrom(...BOOLEANS), equality, fc.boolean()).map(([[path, of], by, to]) => ({
    text: `${path} ${by} ${to}`,
    holds: (message: MailMessage) => COMPARE[by](of(message) === to ? 0 : 1),
  })),
  fc
    .tuple(
      fc.constantFrom(...TIMES),
      comparison,
      fc.oneof(fc.constantFrom(...SAMPLE_HOURS), fc.nat(80)),
    )
    .map(([[path, of], by, hours]) => {
      const to = new Date(Date.UTC(2026, 0, 10, 12) - hours * 3_600_000).toISOString();
      return {
        text: `${path} ${by} ${to}`,
        holds: (message: MailMessage) => COMPARE[by](Date.parse(of(message)) - Date.parse(to)),
      };
    }),
  fc.tuple(equality, fc.constantFrom('low', 'normal', 'high')).map(([by, to]) => ({
    text: `importance ${by} ${quoted(to)}`,
    holds: ({ importance }: MailMessage) => COMPARE[by](importance === to ? 0 : 1),
  })),
  fc
    .array(fc.constantFrom('low', 'normal', 'high'), { minLength: 1, maxLength: 3 })
    .map((choices) => ({
      text: `importance in (${choices.map(quoted).join(', ')})`,
      holds: ({ importance }: MailMessage) => choices.includes(importance),
    })),
  fc
    .tuple(fc.constantFrom('toRecipients', 'ccRecipients'), fc.constantFrom('r', 'x1'), word)
    .map(([path, variable, part]) => ({
      text: `${path}/any(${variable}:contains(${variable}/emailAddress/address,${quoted(part)}) or ${variable}/emailAddress/name eq ${quoted(part)})`,
      holds: (message: MailMessage) =>
        (path === 'toRecipients' ? message.toRecipients : message.ccRecipients).some(
          ({ emailAddress: { name, address } }) =>
            folded(address).includes(folded(part)) || folded(name) === folded(part),
        ),
    })),
  word.map((category) => ({
    text: `categories/any(c:c eq ${quoted(category)})`,
    holds: ({ categories }: MailMessage) =>
      categories.some((one) => folded(one) === folded(category)),
  })),
  fc.constantFrom('toRecipients', 'ccRecipients').map((path) => ({
    text: `${path}/any()`,
    holds: (message: MailMessage) =>
      (path === 'toRecipients' ? message.toRecipients : message.ccRecipients).length > 0,
  })),
  equality.map((by) => ({ text: `subject ${by} null`, holds: () => by === 'ne' })),
);

/** Written with as few brackets as the precedence of `not`, `and` and `or` allows. */
const filter = fc.letrec<{ or: Said; and: Said; term: Said }>((tie) => ({
  or: joined(tie('and'), 'or'),
  and: joined(tie('term'), 'and'),
  term: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'filter' },
    leaf,
    fc
      .oneof(
        textFunction,
        tie('or').map(({ text, holds }) => ({ text: `(${text})`, holds })),
      )
      .map(({ text, holds }) => ({
        text: `not ${text}`,
        holds: (message: MailMessage) => !holds(message),
      })),
    tie('or').map(({ text, holds }) => ({ text: `( ${text} )`, holds })),
    textFunction.map(({ text, holds }) => ({
      text: `${text} eq false`,
      holds: (message: MailMessage) => !holds(message),
    })),
  ),
})).or;

function joined(terms: fc.Arbitrary<Said>, by: 'and' | 'or'): fc.Arbitrary<Said> {
  return fc.array(terms, { minLength: 1, maxLength: 3 }).map((said) => ({
    text: said.map(({ text }) => text).join(` ${by} `),
    holds: (message) =>
      by === 'and'
        ? said.every(({ holds }) => holds(message))
        : said.some(({ holds }) => holds(message)),
  }));
}

const SCRAPS: readonly string[] = [
  ..."() , ' not and or eq in null true /any( r: r/ subject isRead toRecipients contains(".split(
    ' ',
  ),
  ..."2026-01-01|''| | |%|\u0000|𝕏|9e999".split('|'),
];

describe('a $filter', () => {
  it('gives what it says, and nothing else', SLOW, async () => {
    const { mock } = await filledMailbox();
    const all = mock.messages();
    await fc.assert(
      fc.asyncProperty(filter, async ({ text, holds }) => {
        const { messages } = await mock.client.getMessages({ filter: text, limit: 100 });
        expect(messages).toEqual(all.filter(holds));
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    "contains(subject, 'a') eq maybe",
    "contains('a', subject)",
    "contains(subject 'a')",
    "contains(subject, 'a'",
    'contains(isRead, true)',
    "substringof('a', subject)",
    "tolower(subject) eq 'a'",
    'length(subject) gt 1',
    'isRead gt true',
    "importance gt 'low'",
    "importance eq 'urgent'",
    'importance in ()',
    "importance in ('low' 'high')",
    "importance in 'low'",
    'receivedDateTime gt null',
    'receivedDateTime ge 2026-02-30',
    'receivedDateTime ge 2026-01-01T25:00:00Z',
    "'a' eq subject",
    'subject has 5',
    "toRecipients/all(r:r/emailAddress/address eq 'a')",
    "toRecipients/any(r:emailAddress/address eq 'a')",
    "toRecipients/any(r:r/emailAddress/phone eq 'a')",
    "toRecipients/any(r r/emailAddress/address eq 'a')",
    "toRecipients/any(r:subject eq 'a')",
    "toRecipients/any(r:categories/any(c:c eq 'a'))",
    "subject/any(c:c eq 'a')",
    "toRecipients eq 'a'",
    "__proto__ eq 'a'",
    "constructor/name eq 'Object'",
    'isRead eq true or',
    'or isRead eq true',
    'isRead eq true AND isRead eq true',
    '()',
    'not',
    'not()',
    "subject eq 'a' 'b'",
    "subject eq 'a''",
    ',',
  ])('%s is refused rather than answered wrongly', async (text) => {
    const { client } = createGraphMailMock({ latency: 'none' });
    await expect(client.getMessages({ filter: text })).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining('Invalid filter clause'),
    });
  });

  it('is answered or refused, whatever it is', SLOW, async () => {
    const { send } = await filledMailbox();
    const scraps = fc.constantFrom(...SCRAPS);
    const hostile = fc.oneof(
      fc.array(scraps, { maxLength: 30 }).map((parts) => parts.join('')),
      fc.string({ unit: 'binary', maxLength: 40 }),
    );
    await fc.assert(
      fc.asyncProperty(hostile, async (text) => {
        const query = new URLSearchParams({ $filter: text }).toString();
        const { status } = await send('GET', `/v1.0/me/messages/$count?${query}`);
        expect([200, 400]).toContain(status);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['very many brackets', '('.repeat(19_000)],
    ['brackets that close', `${'('.repeat(5_000)}isRead eq true${')'.repeat(5_000)}`],
    ['very many denials', `${'not ('.repeat(3_000)}isRead eq true${')'.repeat(3_000)}`],
    ['very many quotes', "'".repeat(19_999)],
    ['quotes that never end', `subject eq '${"''".repeat(9_000)}`],
    ['very many clauses', Array.from({ length: 900 }, () => 'isRead eq true').join(' and ')],
    ['a very long text', `subject eq '${'a'.repeat(50_000)}'`],
    ['very many blanks', `isRead${' '.repeat(19_000)}eq${' '.repeat(900)}`],
    ['nested lambdas', 'categories/any(c:'.repeat(1_000)],
  ])('of %s is refused', async (_what, text) => {
    const { client } = createGraphMailMock({ latency: 'none' });
    await expect(client.getMessages({ filter: text })).rejects.toMatchObject({ status: 400 });
  });
});
