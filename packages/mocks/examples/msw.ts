import { createGoHighLevelMock } from '@buddy/mocks';
import { mswHandlers } from '@buddy/mocks/msw';
import { setupServer } from 'msw/node';

const crm = createGoHighLevelMock({ contacts: 1, latency: 'none' });
const msw = setupServer(...mswHandlers({ crm }));
msw.listen({ onUnhandledFrame: 'error' });
const headers = { version: '2021-07-28', authorization: 'Bearer pit-any' };
const url = `https://services.leadconnectorhq.com/contacts/${crm.contacts()[0]?.id}`;
console.log((await fetch(url, { headers })).status);
crm.journal.expect('contacts.get').times(1).with({ status: 200 });
msw.close();
