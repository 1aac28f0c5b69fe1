import {
  createGoHighLevelMock,
  createGraphMailMock,
  GoHighLevelContactUpdate,
  NewGoHighLevelContact,
  OutgoingMessage,
  sampleContacts,
} from '@buddy/mocks';
import { describe, expect, it } from 'vitest';

// Property names out of the vendors' OpenAPI descriptions, by schema; a test of the wire will read the descriptions themselves.
const CREATE_CONTACT_DTO =
  'firstName lastName name email locationId gender phone address1 city state postalCode website timezone dnd ' +
  'dndSettings inboundDndSettings tags customFields source dateOfBirth country companyName assignedTo';
const UPDATE_CONTACT_DTO =
  'firstName lastName name email phone address1 city state postalCode website timezone dnd dndSettings ' +
  'inboundDndSettings tags customFields source dateOfBirth country assignedTo';
const GET_CONTACT_BY_ID_SCHEMA =
  'id name locationId firstName lastName email emailLowerCase timezone companyName phone dnd dndSettings type source ' +
  'assignedTo address1 city state country postalCode website tags dateOfBirth dateAdded dateUpdated attachments ssn ' +
  'keyword firstNameLowerCase fullNameLowerCase lastNameLowerCase lastActivity customFields businessId ' +
  'attributionSource lastAttributionSource visitorId';
const REQUIRED_IN_PRACTICE = 'id locationId dateAdded tags customFields';
const GRAPH_MESSAGE =
  'id categories changeKey createdDateTime lastModifiedDateTime bccRecipients body bodyPreview ccRecipients ' +
  'conversationId conversationIndex flag from hasAttachments importance inferenceClassification ' +
  'internetMessageHeaders internetMessageId isDeliveryReceiptRequested isDraft isRead isReadReceiptRequested ' +
  'parentFolderId receivedDateTime replyTo sender sentDateTime subject toRecipients uniqueBody webLink attachments';

/** The names that are not among those described. */
function strangers(names: Iterable<string>, described: string): string[] {
  const known = new Set(described.split(' '));
  return [...names].filter((name) => !known.has(name));
}

describe('the names of fields', () => {
  it('are those of the GoHighLevel description', async () => {
    expect(strangers(Object.keys(NewGoHighLevelContact.shape), CREATE_CONTACT_DTO)).toEqual([]);
    expect(strangers(Object.keys(GoHighLevelContactUpdate.shape), UPDATE_CONTACT_DTO)).toEqual([]);
    const { client } = createGoHighLevelMock({ latency: 'none' });
    const everyField = {
      firstName: 'Ada',
      lastName: 'Lovelace',
      name: 'Ada Lovelace',
      email: 'ada@example.com',
      phone: '+12125550142',
      address1: '1 Main Street',
      city: 'Fresno',
      state: 'CA',
      postalCode: '93650',
      website: 'https://example.com',
      timezone: 'America/Los_Angeles',
      dnd: false,
      tags: ['a'],
      customFields: [{ id: 'a', field_value: 1 }],
      source: 'test',
      country: 'US',
      assignedTo: 'grace',
      companyName: 'AE',
      gender: 'female',
    };
    expect(Object.keys(everyField).toSorted()).toEqual(
      Object.keys(NewGoHighLevelContact.shape).toSorted(),
    );
    const contact = await client.createContact(everyField);
    const [sample] = sampleContacts({ count: 1 });
    for (const one of [contact, sample ?? {}]) {
      expect(strangers(Object.keys(one), GET_CONTACT_BY_ID_SCHEMA)).toEqual([]);
      expect(strangers(REQUIRED_IN_PRACTICE.split(' '), Object.keys(one).join(' '))).toEqual([]);
    }
  });

  it('are those of the Graph description', () => {
    expect(strangers(Object.keys(OutgoingMessage.shape), GRAPH_MESSAGE)).toEqual([]);
    for (const message of createGraphMailMock().messages()) {
      expect(strangers(Object.keys(message), GRAPH_MESSAGE)).toEqual([]);
    }
  });
});
