import type { GraphMailMockInput, OutgoingMessage } from '@buddy/mocks';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { type Opened, WAYS } from './graph/ways.ts';

function letter(changes: Partial<OutgoingMessage> = {}): OutgoingMessage {
  return {
    toRecipients: [{ emailAddress: { address: 'grace@example.com', name: 'Grace' } }],
    subject: 'Your quote',
    body: { contentType: 'html', content: '<p>Dear <b>Grace</b>,</p>' },
    ...changes,
  };
}

const NO_SUCH_ID = 'AAMkNobodyHasThisOne=';

describe.each(WAYS)('by $name:', ({ open }) => {
  const opened: Opened[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map(({ close }) => close()));
  });

  async function makeMock(input: GraphMailMockInput = {}) {
    const one = await open(input);
    opened.push(one);
    const { messages, journal, reset } = one.mock;
    return { ...one, messages, journal, reset };
  }

  describe('the mailbox of the Graph mock', () => {
    it('holds five messages at first: read and unread, text and HTML, of every importance, two in a thread', async () => {
      const { messages } = await makeMock();
      const samples = messages();
      expect(samples).toHaveLength(5);
      expect(samples).toEqual(messages('inbox'));
      const kinds = (of: (message: (typeof samples)[number]) => unknown) =>
        new Set(samples.map(of));
      expect(kinds(({ isRead }) => isRead).size).toBe(2);
      expect(kinds(({ body }) => body.contentType).size).toBe(2);
      expect(kinds(({ importance }) => importance).size).toBe(3);
      expect(kinds(({ hasAttachments }) => hasAttachments).size).toBe(2);
      expect(kinds(({ conversationId }) => conversationId).size).toBe(4);
      expect(kinds(({ id }) => id).size).toBe(5);
    });

    it('dates them back from the moment it was made, newest first', async () => {
      const { messages } = await makeMock();
      const dates = messages().map(({ receivedDateTime }) => receivedDateTime);
      expect(dates[0]).toBe('2026-01-10T11:00:00Z');
      expect(dates).toEqual(dates.toSorted().toReversed());
    });

    it('says whose it is', async () => {
      const { client } = await makeMock({ mailbox: 'sales@example.org' });
      expect(await client.testConnection()).toEqual({ account: 'sales@example.org' });
    });

    it('is as new after a reset', async () => {
      const { client, messages, journal, reset } = await makeMock();
      const before = messages();
      await client.sendEmail(letter());
      await client.deleteMessage(before[0]?.id ?? '');
      reset();
      expect(messages()).toEqual(before);
      expect(journal.total).toBe(0);
    });
  });

  describe('sending with the Graph mock', () => {
    it('answers nothing, and leaves the message in Sent Items, where listing and searching find it', async () => {
      const { client, messages } = await makeMock();
      const headers = [{ name: 'x-buddy-key', value: 'task-7' }];
      expect(await client.sendEmail(letter({ internetMessageHeaders: headers }))).toBeUndefined();
      const [sent] = messages('sentitems');
      expect(sent).toMatchObject({
        ...letter(),
        internetMessageHeaders: headers,
        bodyPreview: 'Dear Grace ,',
        importance: 'normal',
        isRead: true,
        from: { emailAddress: { address: 'buddy@example.com', name: 'Buddy' } },
        sentDateTime: '2026-01-10T12:00:00Z',
      });
      expect((await client.getMessages({ filter: "subject eq 'Your quote'" })).messages).toEqual([
        sent,
      ]);
      expect(await client.searchMessages('"your quote"')).toEqual([sent]);
    });

    it.each<[string, unknown, string]>([
      [
        'no recipient',
        letter({ toRecipients: [] }),
        "At least one recipient is not valid., Recipient '' is not valid.",
      ],
      [
        'a recipient without an address',
        letter({ toRecipients: [{ emailAddress: { address: 'grace' } }] }),
        "At least one recipient is not valid., Recipient 'grace' is not valid.",
      ],
      [
        'a header of another kind',
        letter({ internetMessageHeaders: [{ name: 'Subject', value: 'x' }] }),
        "The internet message header name 'Subject' should start with 'x-' or 'X-'.",
      ],
      [
        'an unknown field',
        { ...letter(), urgent: true },
        "The property 'urgent' does not exist on type 'microsoft.graph.message'. Make sure to only use property names that are defined by the type.",
      ],
      [
        'a body of another kind',
        { ...letter(), body: { contentType: 'markdown', content: '' } },
        'Cannot convert the value of property \'body.contentType\': Invalid option: expected one of "text"|"html".',
      ],
    ])('refuses %s, and sends nothing', async (_what, message, issue) => {
      const { client, messages } = await makeMock();
      // @ts-expect-error: what a caller without types may hand in
      await expect(client.sendEmail(message)).rejects.toMatchObject({
        code: 'MOCKS_VALIDATION_FAILED',
        status: 400,
        effect: 'none',
        issues: [issue],
      });
      expect(messages('sentitems')).toEqual([]);
    });

    it('replies to the sender in the same conversation', async () => {
      const { client, messages } = await makeMock();
      const original = messages('inbox')[4]; // the newsletter, the oldest
      await client.replyToMessage(original?.id ?? '', 'Please unsubscribe me.');
      const [reply] = messages('sentitems');
      expect(reply).toMatchObject({
        subject: 'RE: Benefits Weekly: what changes next year',
        bodyPreview: expect.stringMatching(
          /^Please unsubscribe me\. From: .* Five changes to know/,
        ),
        toRecipients: [original?.from],
        conversationId: original?.conversationId,
      });
      await client.replyToMessage(reply?.id ?? '', 'Again.');
      expect(messages('sentitems')[0]?.subject).toBe(reply?.subject);
    });
  });

  describe('reading with the Graph mock', () => {
    it('gives ten messages unless told otherwise, and says whether there are more', async () => {
      const { client, messages } = await makeMock();
      for (let n = 1; n <= 8; n += 1) await client.sendEmail(letter({ subject: `Letter ${n}` }));
      const first = await client.getMessages();
      expect(first).toEqual({ messages: messages().slice(0, 10), hasMore: true });
      const rest = await client.getMessages({ limit: 10, skip: 10 });
      expect(rest).toEqual({ messages: messages().slice(10), hasMore: false });
      await expect(client.getMessages({ limit: 1001 })).rejects.toMatchObject({ status: 400 });
    });

    it('marks a message read when it is read, and changes its change key then only', async () => {
      const { client, messages } = await makeMock();
      const unread = messages()[0];
      const read = await client.readMessage(unread?.id ?? '');
      expect(read).toEqual({
        ...unread,
        isRead: true,
        changeKey: read.changeKey,
        lastModifiedDateTime: '2026-01-10T12:00:00Z',
      });
      expect(read.changeKey).not.toBe(unread?.changeKey);
      expect(await client.readMessage(read.id)).toEqual(read);
    });

    it('moves what is deleted to Deleted Items under another id, and removes it from there', async () => {
      const { client, messages } = await makeMock();
      const doomed = messages()[2];
      await client.deleteMessage(doomed?.id ?? '');
      const [moved] = messages('deleteditems');
      expect(moved?.internetMessageId).toBe(doomed?.internetMessageId);
      expect(moved?.id).not.toBe(doomed?.id);
      await expect(client.readMessage(doomed?.id ?? '')).rejects.toMatchObject({ status: 404 });
      expect((await client.getMessages()).messages[2]).toEqual(moved);
      await client.deleteMessage(moved?.id ?? '');
      expect(messages()).toHaveLength(4);
    });

    it('tells an id that nobody has from one that is none', async () => {
      const { client } = await makeMock();
      const calls = [
        (id: string) => client.readMessage(id),
        (id: string) => client.deleteMessage(id),
        (id: string) => client.replyToMessage(id, 'Hello'),
      ];
      for (const call of calls) {
        await expect(call(NO_SUCH_ID)).rejects.toMatchObject({
          code: 'MOCKS_NOT_FOUND',
          status: 404,
          providerCode: 'ErrorItemNotFound',
        });
        await expect(call('message 1')).rejects.toMatchObject({
          code: 'MOCKS_VALIDATION_FAILED',
          status: 400,
          providerCode: 'ErrorInvalidIdMalformed',
        });
      }
    });
  });

  describe('the filter of the Graph mock', () => {
    it.each([
      ['isRead eq false', 3],
      ['isRead eq true', 2],
      ["from/emailAddress/address eq 'PRIYA.RAMAN@example.org'", 2],
      ["subject eq 'Employee census attached'", 1],
      ["subject eq 'employee'", 0],
      ['receivedDateTime ge 2026-01-10T08:00:00Z', 2],
      ['receivedDateTime ge 2026-01-09', 4],
      ["isRead eq false and from/emailAddress/address eq 'priya.raman@example.org'", 1],
      ['  isRead eq false   and receivedDateTime ge 2026-01-10T11:00:00Z ', 1],
    ])('understands %s', async (filter, count) => {
      const { client } = await makeMock();
      expect((await client.getMessages({ filter })).messages).toHaveLength(count);
    });

    it('takes any text between quotes, a quote being written twice', () =>
      fc.assert(
        fc.asyncProperty(fc.string(), async (subject) => {
          const { client, messages } = await makeMock();
          await client.sendEmail(letter({ subject }));
          const filter = `subject eq '${subject.replaceAll("'", "''")}' and isRead eq true`;
          expect((await client.getMessages({ filter })).messages).toEqual(messages('sentitems'));
        }),
      ));

    it.each([
      '',
      'isRead',
      'isRead eq',
      'isRead eq maybe',
      'ISREAD eq true',
      'subject eq Hello',
      "subject eq 'Hello",
      'isRead eq true and',
      'isRead eq true isRead eq false',
      'not isRead eq true',
      'receivedDateTime ge yesterday',
      'receivedDateTime ge 2026-13-45',
      "receivedDateTime ge '2026-01-01'",
    ])('refuses %j rather than answer wrongly', async (filter) => {
      const { client } = await makeMock();
      await expect(client.getMessages({ filter })).rejects.toMatchObject({
        code: 'MOCKS_VALIDATION_FAILED',
        status: 400,
        message: expect.stringContaining('Invalid filter clause'),
      });
    });
  });

  describe('the search of the Graph mock', () => {
    it.each([
      ['proposal', 2],
      ['PROPOSAL friday', 1],
      ['"before friday"', 1],
      ['"friday before"', 0],
      ['from:priya', 2],
      ['subject:friday', 0],
      ['body:friday from:raman', 1],
      ['to:buddy@example.com', 5],
    ])('finds by %s', async (query, count) => {
      const { client } = await makeMock();
      expect(await client.searchMessages(query)).toHaveLength(count);
    });

    it('gives as many as asked for, latest first', async () => {
      const { client, messages } = await makeMock();
      expect(await client.searchMessages('to:buddy', { limit: 2 })).toEqual(messages().slice(0, 2));
    });

    it.each(['', '  ', 'a OR b', 'a NOT', 'received:today', 'constructor:x'])(
      'refuses %j rather than answer wrongly',
      async (query) => {
        const { client } = await makeMock();
        await expect(client.searchMessages(query)).rejects.toMatchObject({
          code: 'MOCKS_VALIDATION_FAILED',
          status: 400,
        });
      },
    );
  });
});
