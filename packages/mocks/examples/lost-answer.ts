import { createGoHighLevelMock } from '@buddy/mocks';

const crm = createGoHighLevelMock({
  latency: 'none',
  faults: [
    { match: { operation: 'contacts.create' }, kind: 'commitThenFail', when: { nth: 1 } },
    { match: { operation: 'contacts.*' }, kind: 'status', status: 429, when: { every: 5 } },
  ],
});
const lost = await crm.client.createContact({ email: 'ada@example.com' }).catch((error) => error);
console.log(lost.code, lost.effect); // it may have happened, so look
console.log((await crm.client.searchContact({ email: 'ada@example.com' })).length, 'contact');
