import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { GivenAnswer } from '../../src/wire/answer-channel.ts';
import { OpenApiContract, type Operation } from './open-api.ts';

const published = new OpenApiContract('gohighlevel-contacts.openapi.json');
const v3 = new OpenApiContract('gohighlevel-contacts-v3.openapi.json');

const PUBLISHED_VERSIONS = ['2021-04-15', '2021-07-28', '2023-02-21', 'v3'];

const Observed = z.object({
  gohighlevel: z.object({
    headers_every_response: z.object({ value: z.record(z.string(), z.string()) }),
    required_in_practice: z.object({
      contact: z.array(z.string()),
      'create/get/update/upsert': z.array(z.string()),
      search: z.array(z.string()),
    }),
  }),
});
const { gohighlevel: observed } = Observed.parse(
  JSON.parse(readFileSync(new URL('observed-errors.json', import.meta.url), 'utf8')),
);
const RATE_LIMIT_HEADERS = Object.entries(observed.headers_every_response.value)
  .filter(([, value]) => !value.includes('optional'))
  .map(([name]) => name);

/** What the vendor's file leaves out, by the README beside it. */
const NAMES_BEYOND = new Set(['traceId', 'meta', 'total', 'searchAfter']);
/** And in the bodies of errors, as they were seen. */
const ERROR_NAMES_BEYOND = new Set([...NAMES_BEYOND, 'error']);

/** `POST /contacts/search` and the search for a duplicate have no schema at all: what was seen is made of these. */
const CONTACT_SCHEMAS = ['ContactsSearchSchema', 'GetContectByIdSchema', 'CreateContactSchema'].map(
  (name) => `#/components/schemas/${name}`,
);

const V3_CONTACT_SCHEMAS = ['#/components/schemas/GetContactByIdSchemaV3'];

/** What is wrong with an answer of GoHighLevel. */
export function gohighlevelProblems({ request, answer }: GivenAnswer): string[] {
  const { status, headers, text } = answer;
  const limits = RATE_LIMIT_HEADERS.filter((name) => !/^\d+$/.test(headers[name] ?? '')).map(
    (name) => `header ${name} is ${headers[name] ?? 'missing'}`,
  );
  if (request.path === '/health') return limits; // the SDK's own; nowhere described
  const body: unknown = text === undefined ? undefined : JSON.parse(text);
  const version = request.headers['version'];
  const first = version === 'v3' ? v3 : published;
  // Dropped from v3's file, and still answering.
  const contract = first.operation(request.method, request.path) ? first : published;
  const operation = contract.operation(request.method, request.path);
  if (status >= 400) return [...limits, ...errorProblems(contract, operation, status, body)];
  if (operation === undefined) return [...limits, 'no such operation in the contract'];
  const isVersioned = version !== undefined && PUBLISHED_VERSIONS.includes(version);
  return [
    ...limits,
    ...(isVersioned ? [] : [`answered although Version is ${version ?? 'missing'}`]),
    ...successProblems(contract, operation, request.method, status, body, version === 'v3'),
  ];
}

function errorProblems(
  contract: OpenApiContract,
  operation: Operation | undefined,
  status: number,
  body: unknown,
): string[] {
  const { success, data } = z
    .object({ statusCode: z.number(), message: z.union([z.string(), z.array(z.string()).min(1)]) })
    .safeParse(body);
  if (!success) return ['an error has a statusCode and a message'];
  const wrongCode = data.statusCode === status ? [] : [`statusCode is not ${status}`];
  const schema = operation && contract.schemaOf(operation, status);
  if (typeof schema !== 'string') return wrongCode;
  return [
    ...wrongCode,
    ...duplicateProblems(body),
    ...contract.problemsOf(body, schema, isErrorName),
  ];
}

function isErrorName(name: string): boolean {
  return ERROR_NAMES_BEYOND.has(name);
}

const Duplicate = z.object({
  meta: z.strictObject({
    contactId: z.string(),
    contactName: z.string().optional(),
    matchingField: z.enum(['email', 'phone']),
  }),
});

/** Which contact is in the way of a new one. */
function duplicateProblems(body: unknown): string[] {
  const hasMeta = z.looseObject({ meta: z.unknown() }).safeParse(body).data?.meta !== undefined;
  const { error } = Duplicate.safeParse(body);
  return hasMeta && error ? [z.prettifyError(error)] : [];
}

function successProblems(
  contract: OpenApiContract,
  operation: Operation,
  method: string,
  status: number,
  body: unknown,
  isV3: boolean,
): string[] {
  const schema = contract.schemaOf(operation, status);
  if (schema === undefined) {
    return [`status ${status} is none of ${contract.statusesOf(operation).join(', ')}`];
  }
  const described =
    schema === null || operation.template === '/contacts/search'
      ? []
      : contract.problemsOf(
          body,
          schema,
          (name) => NAMES_BEYOND.has(name) || isListed(operation, name),
        );
  return [...described, ...practiceProblems(operation, method, body, isV3)];
}

/** A list answers more of a contact than its schema knows; `contactProblems` looks at that. */
function isListed({ template }: Operation, name: string): boolean {
  return template === '/contacts/' && isContactName(name);
}

const Body = z.looseObject({});

/** What the schemas do not require, and every answer has. */
function practiceProblems(
  { template }: Operation,
  method: string,
  value: unknown,
  isV3: boolean,
): string[] {
  const body = Body.safeParse(value);
  if (!body.success) return ['the body is no object'];
  const { required_in_practice: required } = observed;
  const missing = (names: readonly string[]) =>
    names.filter((name) => body.data[name] === undefined).map((name) => `/${name} is missing`);
  switch (template) {
    case '/contacts/search':
      return [
        ...missing(required.search),
        ...unexpected(body.data, required.search),
        ...contactsProblems(body.data['contacts'], isV3),
      ];
    case '/contacts/search/duplicate':
      return [
        ...missing(['contact']),
        ...unexpected(body.data, ['contact', 'traceId']),
        ...(body.data['contact'] === null
          ? []
          : contactProblems(body.data['contact'], '/contact', isV3)),
      ];
    case '/contacts/':
      if (method === 'GET')
        return [...missing(['contacts', 'meta']), ...contactsProblems(body.data['contacts'], isV3)];
      break;
    case '/contacts/{contactId}':
      if (method === 'DELETE') return [];
      break;
    case '/contacts/upsert':
      break;
    default:
      return []; // tags, location, token: their schemas say it all
  }
  return [
    ...missing(required['create/get/update/upsert']),
    ...contactProblems(body.data['contact'], '/contact', isV3),
  ];
}

function unexpected(body: Readonly<Record<string, unknown>>, known: readonly string[]): string[] {
  return Object.keys(body)
    .filter((name) => !known.includes(name))
    .map((name) => `/${name} is no property of the answer`);
}

function contactsProblems(contacts: unknown, isV3: boolean): string[] {
  if (!Array.isArray(contacts)) return ['/contacts is no list'];
  return contacts.flatMap((contact, at) => contactProblems(contact, `/contacts/${at}`, isV3));
}

function contactProblems(value: unknown, path: string, isV3: boolean): string[] {
  const contact = Body.safeParse(value);
  if (!contact.success) return [`${path} is no object`];
  const missing = observed.required_in_practice.contact
    .filter((name) => contact.data[name] === undefined)
    .map((name) => `${path}/${name} is missing`);
  const [contract, schemas] = isV3 ? [v3, V3_CONTACT_SCHEMAS] : [published, CONTACT_SCHEMAS];
  const wrong = schemas.flatMap((schema) =>
    contract.problemsOf(value, schema, (name) => isContactName(name) || NAMES_BEYOND.has(name)),
  );
  return [...missing, ...new Set(wrong.map((problem) => `${path}${problem}`))];
}

const CONTACT_NAMES = new Set(
  CONTACT_SCHEMAS.flatMap(($ref) =>
    Object.keys(Body.parse(published.resolve({ $ref })['properties'])),
  ),
);

function isContactName(name: string): boolean {
  return CONTACT_NAMES.has(name);
}
