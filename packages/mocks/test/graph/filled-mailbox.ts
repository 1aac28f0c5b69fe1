import { openWire } from './wire.ts';

/** The five sample messages and three more, with what filters and searches ask for. */
export async function filledMailbox() {
  const wire = openWire();
  const { client } = wire.mock;
  const grace = { emailAddress: { address: 'grace@example.com', name: "Grace o'clock" } };
  await client.createDraft({ subject: "o'clock", toRecipients: [grace], ccRecipients: [grace] });
  const { id } = await client.createDraft({ subject: '' });
  await client.updateMessage(id, { categories: ['the', 'a'], importance: 'high' });
  await client.sendEmail({
    subject: '(a) the',
    toRecipients: [grace],
    body: { contentType: 'html', content: '<p>RE: the proposal</p>' },
  });
  return wire;
}
