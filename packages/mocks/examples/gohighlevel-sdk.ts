import { HighLevel } from '@gohighlevel/api-client';
import { createGoHighLevelMock, startMockServer } from '@buddy/mocks';

const crm = createGoHighLevelMock({ latency: 'none' });
const server = await startMockServer({ mocks: { crm } });
const sdk = new HighLevel({ privateIntegrationToken: 'pit-any' });
sdk.getHttpClient().defaults.baseURL = server.url.crm; // there is no option for it

const locationId = 'buddyMockLocation001';
const { contact } = await sdk.contacts.createContact({ locationId, email: 'Ada@example.com' });
console.log(contact?.email, crm.contacts().length);
await server.close();
