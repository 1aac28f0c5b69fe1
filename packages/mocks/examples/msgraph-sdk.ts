import { createGraphMailMock, startMockServer } from '@buddy/mocks';
import {
  AllowedHostsValidator,
  BaseBearerTokenAuthenticationProvider,
} from '@microsoft/kiota-abstractions';
import { createGraphServiceClient, GraphRequestAdapter } from '@microsoft/msgraph-sdk';
// oxlint-disable-next-line import/no-unassigned-import -- it adds `me` to the client
import '@microsoft/msgraph-sdk-users';

const server = await startMockServer({ mocks: { mail: createGraphMailMock({ latency: 'none' }) } });
const adapter = new GraphRequestAdapter(
  new BaseBearerTokenAuthenticationProvider({
    getAuthorizationToken: async () => 'any-token',
    getAllowedHostsValidator: () => new AllowedHostsValidator(),
  }),
);
adapter.baseUrl = `${server.url.mail}/v1.0`;
const page = await createGraphServiceClient(adapter).me.messages.get();
console.log(page?.value?.length, 'messages');
await server.close();
