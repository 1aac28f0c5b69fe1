import { ManualClock } from '@buddy/core';
import { expect, it } from 'vitest';
import { GoHighLevelMockOptions } from '../../src/gohighlevel/options.ts';
import { GoHighLevelProvider } from '../../src/gohighlevel/provider.ts';
import { createWireExchange } from '../../src/wire/exchange.ts';
import type { Json } from '../../src/wire/message.ts';

const URL_OF_ALL = 'https://services.leadconnectorhq.com/contacts/?locationId=buddyMockLocation001';

/** A provider in whose answers one word is spelt differently; the test itself looks at the status alone. */
async function statusOf(misspelt: string, spelling: string): Promise<number> {
  const options = GoHighLevelMockOptions.parse({ contacts: 3, latency: 'none' });
  const provider = new GoHighLevelProvider(options);
  const handle = provider.handle.bind(provider);
  provider.handle = (...given) => {
    const { body, ...answer } = handle(...given);
    const text = JSON.stringify(body).replaceAll(misspelt, spelling);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it was JSON before
    return { ...answer, body: JSON.parse(text) as Json };
  };
  const { fetch } = createWireExchange(provider, options, new ManualClock());
  const headers = { version: '2021-07-28', authorization: 'Bearer pit-any' };
  return (await fetch(new Request(URL_OF_ALL, { headers }))).status;
}

it('passes with answers as they are', async () => {
  expect(await statusOf('dateAdded', 'dateAdded')).toBe(200);
});

it('fails with a property spelt differently, although nobody looks at it', async () => {
  expect(await statusOf('dateAdded', 'dateAddded')).toBe(200);
});
