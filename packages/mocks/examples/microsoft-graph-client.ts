import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { createGraphMailMock, startMockServer } from '@buddy/mocks';
import { Client } from '@microsoft/microsoft-graph-client';

const server = await startMockServer({ mocks: { mail: createGraphMailMock({ latency: 'none' }) } });
setDefaultCACertificates([...getCACertificates(), server.ca]);
const sdk = Client.init({
  baseUrl: `${server.httpsUrl.mail}/`, // over http it drops the token
  customHosts: new Set(['localhost']),
  authProvider: (done) => done(null, 'any-token'),
});
const { value } = await sdk.api('/me/messages').filter('isRead eq false').select('subject').get();
console.log(value.length, 'unread messages');
await server.close();
