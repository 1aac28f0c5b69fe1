import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  createGoHighLevelMock,
  createGraphMailMock,
  createMployerMock,
  type Mock,
} from '@buddy/mocks';
import { describe, expect, it } from 'vitest';
import type { GivenAnswer } from '../src/wire/answer-channel.ts';
import { contractProblems } from './contracts/contract-check.ts';

// Whether the check of every answer is any good: real answers of all three providers are broken in one place each.

const FLOWS: Readonly<Record<string, () => Promise<unknown>>> = {
  gohighlevel: async () => {
    const mock = createGoHighLevelMock({ latency: 'none', contacts: 2 });
    const { client } = mock;
    const { id } = await client.createContact({
      email: 'ada@example.com',
      name: 'Ada',
      tags: ['vip'],
      customFields: [{ id: 'size', field_value: '48' }],
    });
    await client.upsertContact({ email: 'ada@example.com', city: 'London' });
    await client.getContact(id);
    await client.updateContact(id, { city: 'Paris' });
    await client.searchContacts({ pageLimit: 2 });
    await client.listContacts();
    await client.searchContact({ email: 'ada@example.com' });
    await client.addTags(id, ['hot']);
    await client.removeTags(id, ['hot']);
    await client.testConnection();
    await client.deleteContact(id);
    await client.getContact('nobody').catch(() => undefined);
    await client.createContact({ email: 'not an address' }).catch(() => undefined);
    await refusals(mock, () => client.testConnection());
  },
  msgraph: async () => {
    const mock = createGraphMailMock({ latency: 'none' });
    const { client } = mock;
    const { messages } = await client.getMessages({});
    const id = messages[0]?.id ?? '';
    await client.getMessage(id);
    await client.readMessage(id);
    await client.searchMessages('proposal');
    await client.replyToMessage(id, 'Thank you');
    const draft = await client.createReplyDraft(id, 'Thank you');
    await client.sendDraft(draft.id);
    await client.copyMessage(id, 'archive');
    await client.moveMessage(id, 'archive');
    await client.listFolders();
    await client.getFolder('inbox');
    await client.testConnection();
    await client.batch([{ id: '1', method: 'GET', url: '/me/messages?$top=1' }]);
    await client.getMessage('no id').catch(() => undefined);
    await refusals(mock, () => client.testConnection());
  },
  mployer: async () => {
    const mock = createMployerMock({ latency: 'none' });
    const { client } = mock;
    await client.login('ada@example.com', 'secret');
    const { results } = await client.searchContacts({ state: 'CA' });
    await client.extractContacts(results);
    await client.testConnection();
    await client.logout();
    await client.searchContacts({}).catch(() => undefined);
    await refusals(mock, () => client.login('ada@example.com', 'secret'));
  },
};

describe.each(Object.keys(FLOWS))('the check of every answer, on those of %s', (name) => {
  it('finds nothing wrong with them as they are', async () => {
    const answers = await answersOf(name);
    expect(answers.length).toBeGreaterThan(8);
    expect(answers.flatMap((given) => contractProblems(given))).toEqual([]);
  });

  it('notices each property that is spelt differently', async () => {
    const answers = await answersOf(name);
    const broken = answers.flatMap((given) => withEachNameChanged(given));
    expect(broken.length).toBeGreaterThan(40);
    expect(unnoticed(broken)).toEqual([]);
  });

  it('notices each other success that is answered', async () => {
    const answers = await answersOf(name);
    const broken = answers
      .filter(({ answer }) => answer.status < 300)
      .map(({ answer, ...given }) => ({
        what: `${answer.status} of ${given.request.method} ${given.request.path} as 203`,
        given: { ...given, answer: { ...answer, status: 203 } },
      }));
    expect(broken.length).toBeGreaterThan(3);
    expect(unnoticed(broken)).toEqual([]);
  });
});

async function refusals(mock: Mock, call: () => Promise<unknown>): Promise<void> {
  for (const status of [400, 401, 403, 404, 408, 409, 422, 429, 500, 502, 503, 504] as const) {
    mock.faults.use([{ match: { operation: '*' }, kind: 'status', status, when: { rate: 1 } }]);
    await call().catch(() => undefined);
  }
}

/** One answer of each sort that the flow brings about. */
async function answersOf(name: string): Promise<readonly GivenAnswer[]> {
  const answers = new Map<string, GivenAnswer>();
  const listen = (message: unknown) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of our own making
    const given = message as GivenAnswer;
    const { method, path } = given.request;
    answers.set(`${method} ${path} ${given.answer.status}`, given);
  };
  subscribe('buddy:mocks:answer', listen);
  try {
    await FLOWS[name]?.();
  } finally {
    unsubscribe('buddy:mocks:answer', listen);
  }
  return [...answers.values()];
}

interface Broken {
  readonly what: string;
  readonly given: GivenAnswer;
}

function unnoticed(broken: readonly Broken[]): string[] {
  return broken.filter(({ given }) => contractProblems(given).length === 0).map(({ what }) => what);
}

function withEachNameChanged(given: GivenAnswer): Broken[] {
  const { request, answer } = given;
  if (answer.text === undefined) return [];
  const body: unknown = JSON.parse(answer.text);
  return pathsIn(body).map((path) => ({
    what: `${request.method} ${request.path} -> ${answer.status}: ${path.join('.')}`,
    given: { ...given, answer: { ...answer, text: JSON.stringify(renamed(body, path)) } },
  }));
}

type Path = readonly (string | number)[];

/** The way to each property; annotations, which any answer may have or lack, left out. */
function pathsIn(value: unknown): Path[] {
  if (Array.isArray(value)) {
    const [first] = value as unknown[]; // the others are alike
    return first === undefined ? [] : pathsIn(first).map((path) => [0, ...path]);
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [
    ...(name.includes('@odata.') ? [] : [[name]]),
    ...pathsIn(inner).map((path) => [name, ...path]),
  ]);
}

function renamed(value: unknown, [head, ...rest]: Path): unknown {
  if (Array.isArray(value)) {
    return value.map((item: unknown, at) => (at === head ? renamed(item, rest) : item));
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      if (name !== head) return [name, inner];
      return rest.length === 0 ? [`${name}X`, inner] : [name, renamed(inner, rest)];
    }),
  );
}
