import { createJsonLogger, defineTool, ManualClock, toolContext } from '@buddy/core';
import { z } from 'zod';

const clock = new ManualClock();
const findContact = defineTool({
  name: 'crm.contacts.find',
  description: 'Finds a contact by e-mail address.',
  tier: 1,
  input: z.strictObject({ email: z.email() }),
  output: z.object({ id: z.string() }),
  execute: async () => (await clock.sleep(2_000), { id: 'contact-1' }),
});
const context = toolContext({ actor: { kind: 'human', id: 'grace' } });
const contact = await clock.run(() => findContact.execute({ email: 'ada@example.com' }, context));
createJsonLogger({}, { clock }).info({ contact, token: 'x' }, 'found');
