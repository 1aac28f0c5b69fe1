import { ManualClock } from '@buddy/core';
import { createGoHighLevelMock, createMployerMock } from '@buddy/mocks';

const clock = new ManualClock(); // answers take their time, and it costs none
const { client: mployer } = createMployerMock({}, { clock });
const crm = createGoHighLevelMock({ seed: 23, faults: 'seed', contacts: 100 }, { clock });

await clock.run(async () => {
  await mployer.login('ada@example.com', 'any password');
  const { results } = await mployer.searchContacts({ state: 'CA', seniority: 'owner' });
  const { contacts } = await mployer.extractContacts(results);
  const report = await mployer.addToGoHighLevel(contacts, crm.client);
  console.log(`${report.created} created, ${report.failed} failed, ${crm.journal.total} calls`);
});
