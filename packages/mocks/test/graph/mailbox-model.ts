import { deepEqual, equal } from 'node:assert/strict';
import fc from 'fast-check';
import { z } from 'zod';
import { openWire, type Wire } from './wire.ts';

/** What a mailbox is, in as few words as possible; messages by a number of our own, newest last. */
interface Model {
  messages: ModelMessage[];
  made: number;
}

interface ModelMessage {
  readonly key: number;
  folder: string;
  subject: string;
  isRead: boolean;
  isDraft: boolean;
  /** Who it would go to. */
  to: readonly string[];
}

/** A mailbox, its model, and the id by which each message of the model is known now. */
class Pair {
  readonly wire: Wire = openWire();
  readonly model: Model = { messages: [], made: 0 };
  readonly ids = new Map<number, string>();
  readonly old: string[] = [];

  /** The n-th message there is, if there is any. */
  pick(n: number): ModelMessage | undefined {
    return this.model.messages[n % Math.max(1, this.model.messages.length)];
  }

  path(message: ModelMessage, action = ''): string {
    return `/v1.0/me/messages/${this.ids.get(message.key)}${action}`;
  }

  add(message: Omit<ModelMessage, 'key'>): ModelMessage {
    const added = { ...message, key: this.model.made };
    this.model.made += 1;
    this.model.messages.push(added);
    return added;
  }

  /** Its place in time is now. */
  touch(message: ModelMessage): void {
    this.remove(message);
    this.model.messages.push(message);
  }

  remove(message: ModelMessage): void {
    this.model.messages.splice(this.model.messages.indexOf(message), 1);
  }

  knownAs(message: ModelMessage, id: unknown): void {
    const before = this.ids.get(message.key);
    if (before !== undefined && before !== id) this.old.push(before);
    this.ids.set(message.key, z.string().parse(id));
  }

  /** Asks the mock what it holds, and compares. Ids that nobody was told are learnt by it. */
  async compare(): Promise<void> {
    const { value } = await this.wire.send(
      'GET',
      '/v1.0/me/messages?$top=1000&$select=subject,isRead,isDraft,parentFolderId,toRecipients',
    );
    const held = value.map(({ subject, isRead, isDraft, parentFolderId }) => ({
      subject,
      isRead,
      isDraft,
      parentFolderId,
    }));
    const newestFirst = this.model.messages.toReversed();
    const folders = await this.folders();
    deepEqual(
      held,
      newestFirst.map(({ subject, isRead, isDraft, folder }) => ({
        subject,
        isRead,
        isDraft,
        parentFolderId: folders.get(folder)?.id,
      })),
    );
    for (const [index, message] of newestFirst.entries()) this.knownAs(message, value[index]?.id);
    for (const [name, { total, unread }] of folders) {
      const inside = newestFirst.filter(({ folder }) => folder === name);
      deepEqual(
        [name, total, unread],
        [name, inside.length, inside.filter(({ isRead }) => !isRead).length],
      );
    }
    for (const id of this.old.slice(-3)) {
      equal((await this.wire.send('GET', `/v1.0/me/messages/${id}`)).status, 404);
    }
  }

  async folders(): Promise<ReadonlyMap<string, { id: string; total: unknown; unread: unknown }>> {
    const { value } = await this.wire.send('GET', '/v1.0/me/mailFolders');
    return new Map(
      value.map(({ id, displayName, totalItemCount, unreadItemCount }) => [
        z.string().parse(displayName).toLowerCase().replace(' ', ''),
        { id, total: totalItemCount, unread: unreadItemCount },
      ]),
    );
  }
}

type Step = (pair: Pair) => Promise<void>;

const FOLDERS = ['archive', 'inbox', 'junkemail', 'deleteditems', 'drafts'] as const;
const subjects = fc.string({ maxLength: 8 });
const addresses = fc.array(fc.constantFrom('a@example.com', 'b@example.com', 'no address'), {
  maxLength: 2,
});
const which = fc.nat(30);

function recipients(to: readonly string[]) {
  return to.map((address) => ({ emailAddress: { address } }));
}

function canBeSent(to: readonly string[]): boolean {
  return to.length > 0 && !to.includes('no address');
}

/** A step on one message, if there is any. */
function on(n: number, act: (pair: Pair, message: ModelMessage) => Promise<void>): Step {
  return async (pair) => {
    const message = pair.pick(n);
    if (message) await act(pair, message);
  };
}

const create = fc.tuple(subjects, addresses).map(([subject, to]): Step => async (pair) => {
  const body = { subject, toRecipients: recipients(to) };
  const { status, body: made } = await pair.wire.send('POST', '/v1.0/me/messages', { body });
  equal(status, 201);
  const draft = { subject, to, folder: 'drafts', isRead: true, isDraft: true };
  pair.knownAs(pair.add(draft), made['id']);
});

const sendMail = fc.tuple(subjects, addresses).map(([subject, to]): Step => async (pair) => {
  const message = { subject, toRecipients: recipients(to) };
  const { status } = await pair.wire.send('POST', '/v1.0/me/sendMail', { body: { message } });
  equal(status, canBeSent(to) ? 202 : 400);
  if (status === 202) pair.add({ subject, to, folder: 'sentitems', isRead: true, isDraft: false });
});

const sendDraft = which.map((n) =>
  on(n, async (pair, message) => {
    const { status } = await pair.wire.send('POST', pair.path(message, '/send'));
    equal(status, message.isDraft && canBeSent(message.to) ? 202 : 400);
    if (status !== 202) return;
    Object.assign(message, { isDraft: false, folder: 'sentitems' });
    pair.touch(message);
  }),
);

const update = fc
  .tuple(
    which,
    fc.record({ isRead: fc.boolean(), subject: subjects }, { requiredKeys: ['isRead'] }),
  )
  .map(([n, changes]) =>
    on(n, async (pair, message) => {
      const { status, body } = await pair.wire.send('PATCH', pair.path(message), { body: changes });
      const isAllowed = message.isDraft || changes.subject === undefined;
      equal(status, isAllowed ? 200 : 400);
      if (!isAllowed) return;
      Object.assign(message, changes);
      const { isRead, subject } = message;
      deepEqual(
        [body['id'], body['isRead'], body['subject']],
        [pair.ids.get(message.key), isRead, subject],
      );
    }),
  );

const remove = which.map((n) =>
  on(n, async (pair, message) => {
    const { status } = await pair.wire.send('DELETE', pair.path(message));
    equal(status, 204);
    if (message.folder === 'deleteditems') pair.remove(message);
    else message.folder = 'deleteditems';
  }),
);

const move = fc.tuple(which, fc.constantFrom(...FOLDERS)).map(([n, folder]) =>
  on(n, async (pair, message) => {
    const body = { DestinationId: folder };
    const answer = await pair.wire.send('POST', pair.path(message, '/move'), { body });
    equal(answer.status, 201);
    message.folder = folder;
    pair.knownAs(message, answer.body['id']);
  }),
);

const reply = fc.tuple(which, fc.constantFrom('reply', 'createReply')).map(([n, action]) =>
  on(n, async (pair, message) => {
    const answer = await pair.wire.send('POST', pair.path(message, `/${action}`), {
      body: { Comment: 'Yes.' },
    });
    const isSent = action === 'reply';
    equal(answer.status, isSent ? 202 : 201);
    const subject = /^re:/i.test(message.subject) ? message.subject : `RE: ${message.subject}`;
    const added = pair.add({
      subject,
      to: ['buddy@example.com'],
      folder: isSent ? 'sentitems' : 'drafts',
      isRead: true,
      isDraft: !isSent,
    });
    if (!isSent) pair.knownAs(added, answer.body['id']);
  }),
);

/** All is as before, and goes on as it would have. */
const saveAndRestore = fc.constant<Step>(async ({ wire: { mock } }) => {
  const snapshot = JSON.parse(JSON.stringify(mock.snapshot()));
  await mock.client.createDraft({ subject: 'never was' });
  mock.restore(snapshot);
});

const wait = fc.nat(3_000).map(
  (ms): Step =>
    ({ wire: { clock } }) =>
      clock.advance(ms),
);

/** What happens to a mailbox, from one thing to the next. */
export const stories: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(create, create, sendMail, sendDraft, update, remove, move, reply, saveAndRestore, wait),
  { minLength: 1, maxLength: 25 },
);

/**
 * Lets a story happen to an empty mailbox and its model.
 * @returns How many steps there were; rejects where the two part.
 */
export async function follow(story: readonly Step[]): Promise<number> {
  const pair = new Pair();
  const { mock } = pair.wire;
  for (const round of ['into Deleted Items', 'for good']) {
    for (const { id } of mock.messages()) await mock.client.deleteMessage(id);
    equal(mock.messages().length, round === 'for good' ? 0 : 5);
  }
  for (const step of story) {
    await step(pair);
    await pair.compare();
  }
  return story.length;
}
