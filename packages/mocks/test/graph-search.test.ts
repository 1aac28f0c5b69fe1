import { createGraphMailMock, type MailMessage } from '@buddy/mocks';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filledMailbox } from './graph/filled-mailbox.ts';
import { openWire } from './graph/wire.ts';

/** Many runs, on a machine that may be busy. */
const SLOW = { timeout: 30_000 };

/** A search, and what it means: written independently of the mock's own parser and compiler. */
interface Said {
  text: string;
  holds: (message: MailMessage) => boolean;
}

/** What a search names, as a client is given it. */
const SEARCHED: Readonly<Record<string, (message: MailMessage) => string>> = {
  '': ({ from, subject, body }) => `${addressed(from ? [from] : [])} ${subject} ${body.content}`,
  'subject:': ({ subject }) => subject,
  'body:': ({ body }) => body.content,
  'to:': ({ toRecipients }) => addressed(toRecipients),
};

function addressed(recipients: MailMessage['toRecipients']): string {
  return recipients
    .map(({ emailAddress: { name, address } }) => `${name ?? ''} ${address}`)
    .join(' ');
}

function spaced(words: string): string {
  return ` ${words.toLowerCase().replaceAll(/[^a-z0-9]+/g, ' ')}`;
}

/** Whether the words begin, after a blank, with those wanted. */
function saysWords(text: string, wanted: string): boolean {
  return spaced(text).includes(spaced(wanted).trimEnd());
}

const SEARCH_WORDS = ['plan', 'planet', 'the', 'renew', 'renewal', 'ada', 'not', 'or'];
const properties = fc.shuffledSubarray(['subject:', 'body:', 'to:', '', ''], { minLength: 1 });
const searchTerm = fc.record({
  exclusion: fc.constantFrom('', '', '-', 'NOT '),
  words: fc.array(fc.constantFrom(...SEARCH_WORDS), { minLength: 1, maxLength: 2 }),
  end: fc.constantFrom('', '*'),
  tie: fc.constantFrom(' ', '  ', ' AND '),
});
const search: fc.Arbitrary<Said> = properties.chain((named) =>
  fc.tuple(...named.map(() => searchTerm)).map((terms) => {
    const parts = terms.map(({ exclusion, words, end }, at) => {
      const property = named[at] ?? '';
      const value = words.length > 1 ? `"${words.join(' ')}"` : `${words.join('')}${end}`;
      return { property, exclusion, words, text: `${exclusion}${property}${value}` };
    });
    return {
      text: parts.map(({ text }, at) => `${at > 0 ? terms[at]?.tie : ''}${text}`).join(''),
      holds: (message) =>
        parts.every(
          ({ property, exclusion, words }) =>
            saysWords(SEARCHED[property]?.(message) ?? '', words.join(' ')) === (exclusion === ''),
        ),
    };
  }),
);

/** What a word with a sign in it asks for; undefined for what must be refused. */
function meaningOf(before: string, keyword: string, sign: string, at: number) {
  const property = before === 'subject:' ? before : '';
  const isExcluded = before === '-' || before === 'NOT ';
  const asking = (words: string, isNot: boolean) => (message: MailMessage) =>
    saysWords(SEARCHED[property]?.(message) ?? '', words) !== isNot;
  if (sign === '*') return at === keyword.length ? asking(keyword, isExcluded) : undefined;
  if (sign === '-' && at === 0) return before === '' ? asking(keyword, true) : undefined;
  if ((sign === '-' || sign === '+') && at > 0 && at < keyword.length) {
    return asking(`${keyword.slice(0, at)} ${keyword.slice(at)}`, isExcluded);
  }
  return undefined;
}

async function searchableMailbox() {
  const { mock } = openWire();
  const texts = SEARCH_WORDS.flatMap((one, at) =>
    SEARCH_WORDS.slice(at % 3, (at % 3) + 4).map((other) => [one, other] as const),
  );
  for (const [one, other] of texts) {
    await mock.client.createDraft({
      subject: `${one} ${other}`,
      body: { contentType: 'text', content: `${other}, the ${one}-plan` },
      toRecipients: [{ emailAddress: { address: `${one}@example.com`, name: other } }],
    });
  }
  return mock;
}

describe('a $search', () => {
  it.each([
    ['participants:grace', 2],
    ['cc:grace', 1],
    ['recipients:grace', 2],
    ['attachment:census', 1],
    ['hasAttachments:true', 1],
    ['hasAttachments:false', 7],
    ['importance:high', 2],
    ['received:2026-01-10', 5],
    ['received>=2026-01-10', 5],
    ['received<2026-01-10', 3],
    ['sent>2026-01-09', 5],
    ['sent<=2026-01-09', 3],
    ['received:2026-01-07..2026-01-09', 3],
    ['renew', 2],
    ['enewal', 0],
    ['from:priya AND subject:question', 2],
    ['subject:"the proposal" isread', 0],
    ['subject:"about the prop"', 2],
    ['proposal', 3],
    ['-proposal', 5],
    ['NOT proposal', 5],
    ['subject:proposal', 2],
    ['-subject:proposal', 6],
    ['-"the proposal"', 5],
    ['participants:grace NOT cc:grace', 1],
    ['participants:grace AND NOT cc:grace', 1],
    ['from:priya -subject:zzz', 2],
    ['renew*', 2],
    ['from:raman@example.org', 2],
    ['received=2026-01-10', 5],
    ['proposal not', 0],
  ])('for %s finds %i', async (query, count) => {
    const { mock } = await filledMailbox();
    expect(await mock.client.searchMessages(query)).toHaveLength(count);
  });

  it.each([
    'subject:a subject:b',
    'AND a',
    'a AND',
    '(a)',
    '"unfinished',
    'importance:urgent',
    'hasAttachments:maybe',
    'received:2026',
    'received:2026-01-01..2026-01-02..2026-01-03',
    'received>2026-01-01..2026-01-02',
    'subject>a',
    '!!!',
    'subject:-proposal',
    '+proposal',
    '*posal',
    'pro*sal',
    'proposal**',
    '*',
    '"prop*"',
    '"proposal"*',
    'proposal?',
    'pro..sal',
    'NEAR/3 proposal',
    'the NEAR proposal',
    'the NEAR(3) proposal',
    'the ONEAR proposal',
    'the OR proposal',
    'the XRANK(cb=1) proposal',
    'ANY(the proposal)',
    'ALL the',
    'NONE the',
    'WORDS(the, proposal)',
    'NOT',
    'the NOT',
    'NOT NOT proposal',
    'NOT -proposal',
    '- proposal',
    '--proposal',
    'NOT:proposal',
    '(proposal)',
    'the (proposal',
    'subject: proposal',
    'subject:',
    'subject:"a"b',
    'the"proposal"',
    'subject<>proposal',
    'subject=proposal',
    'subject>=proposal',
    'importance<high',
    'importance:high*',
    'received<>2026-01-10',
    'received:2026-02-30',
    'received>=2026-02-31',
    'received:2026-01-01..2026-04-31',
    'received:today',
    'received:..2026-01-10',
    'kind:email',
    'size>100',
    '{proposal}',
    'a;b',
  ])('for %j is refused rather than answered wrongly', async (query) => {
    const { client } = createGraphMailMock({ latency: 'none' });
    await expect(client.searchMessages(query)).rejects.toMatchObject({ status: 400 });
  });

  it('gives what it says, and nothing else', SLOW, async () => {
    const mock = await searchableMailbox();
    const all = mock.messages();
    await fc.assert(
      fc.asyncProperty(search, async ({ text, holds }) => {
        const found = await mock.client.searchMessages(text, { limit: 100 });
        const wanted = all.filter(holds).map(({ id }) => id);
        expect(found.map(({ id }) => id).toSorted()).toEqual(wanted.toSorted());
      }),
      { numRuns: 300 },
    );
  });

  it('with any sign of KQL anywhere in a word is refused or means what it says', SLOW, async () => {
    const mock = await searchableMailbox();
    const signed = fc.record({
      before: fc.constantFrom('', 'subject:', '-', 'NOT '),
      keyword: fc.constantFrom('renew', 'proposal', 'plan'),
      sign: fc.constantFrom(...'* ? ( ) < > = : + - ~ ! | ^ { } [ ] "'.split(' ')),
      at: fc.nat(8),
    });
    await fc.assert(
      fc.asyncProperty(signed, async ({ before, keyword, sign, at }) => {
        const cut = Math.min(at, keyword.length);
        const query = `${before}${keyword.slice(0, cut)}${sign}${keyword.slice(cut)}`;
        const said = meaningOf(before, keyword, sign, cut);
        const found = await mock.client.searchMessages(query, { limit: 100 }).then(
          (messages) => messages.map(({ id }) => id).toSorted(),
          ({ status }: { status: number }) => status,
        );
        const wanted = said && mock.messages().filter(said);
        expect(found).toEqual(wanted ? wanted.map(({ id }) => id).toSorted() : 400);
      }),
      { numRuns: 300 },
    );
  });

  it('is answered or refused, whatever it is', SLOW, async () => {
    const { mock } = await filledMailbox();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 30 }), async (query) => {
        const status = await mock.client.searchMessages(query).then(
          () => 200,
          (error: { status: number }) => error.status,
        );
        expect([200, 400]).toContain(status);
      }),
      { numRuns: 300 },
    );
  });
});
