import { z } from 'zod';
import type { GivenAnswer } from '../../src/wire/answer-channel.ts';
import { OpenApiContract, type Operation } from './open-api.ts';

const contract = new OpenApiContract('msgraph-mail.openapi.json');

const EVERY_ANSWER = [
  'request-id',
  'client-request-id',
  'x-ms-ags-diagnostic',
  'strict-transport-security',
  'cache-control',
  'date',
];

/** What an answer inside of a batch may carry. */
const STEP_HEADERS = new Set([
  'cache-control',
  'content-type',
  'location',
  'odata-version',
  'preference-applied',
  'retry-after',
]);

const Batch = z.object({
  requests: z.array(z.object({ id: z.string(), method: z.string(), url: z.string() })),
});
const BatchAnswer = z.object({
  responses: z.array(
    z.object({
      id: z.string(),
      status: z.int(),
      headers: z.record(z.string(), z.string()).optional(),
      body: z.unknown().optional(),
    }),
  ),
});

/** What is wrong with an answer of Graph. */
export function graphProblems({ request, answer }: GivenAnswer): string[] {
  const { status, headers, text } = answer;
  const missing = EVERY_ANSWER.filter((name) => !headers[name]).map(
    (name) => `header ${name} is missing`,
  );
  if (text === undefined && headers['content-type'] !== undefined) {
    missing.push('a content type, but no body');
  }
  const body: unknown = text === undefined ? undefined : JSON.parse(text);
  const step = { method: request.method, path: request.path, status, headers, body };
  const problems = [...missing, ...stepProblems(step)];
  if (status !== 200 || !/\/\$batch$/i.test(decodeURIComponent(request.path))) return problems;
  const asked = Batch.parse(request.body.kind === 'json' ? request.body.value : undefined);
  const { data, error } = BatchAnswer.safeParse(body);
  if (error) return [...problems, z.prettifyError(error)];
  const { responses } = data;
  const inBatch = responses.flatMap((response) => {
    const sent = asked.requests.find(({ id }) => id === response.id);
    if (sent === undefined) return [`batch answers ${response.id}, which nobody asked`];
    const path = new URL(sent.url, 'https://graph.microsoft.com/v1.0/').pathname;
    const stepHeaders = lowerCased(response.headers ?? {});
    const found = stepProblems({
      method: sent.method.toUpperCase(),
      path,
      status: response.status,
      headers: stepHeaders,
      body: response.body ?? undefined,
    });
    const unknown = Object.keys(stepHeaders).filter((name) => !STEP_HEADERS.has(name));
    found.push(...unknown.map((name) => `header ${name} is none of a step`));
    return found.map((problem) => `batch step ${sent.id} (${sent.method} ${sent.url}): ${problem}`);
  });
  return [...problems, ...inBatch];
}

interface Step {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

function stepProblems(step: Step): string[] {
  if (step.status >= 400) return errorProblems(step);
  const operation = operationOf(step);
  if (operation === undefined) return ['no such operation in the contract'];
  return successProblems(operation, step);
}

const SPELLINGS = new Map(
  ['me', 'users', 'messages', 'mailFolders', 'sendMail'].map((name) => [name.toLowerCase(), name]),
);

/** Paths as the service takes them, written as the contract writes them. */
function operationOf({ method, path }: Step): Operation | undefined {
  const plain = decodeURIComponent(path)
    .replace(/^\/v1\.0(?=\/)/i, '')
    .replace(/\/microsoft\.graph\./, '/')
    .replaceAll(/\/([A-Za-z]+)\('([^']*)'\)/g, '/$1/$2')
    .replace(/\/$/, '')
    .replaceAll(/[^/]+/g, (segment) => SPELLINGS.get(segment.toLowerCase()) ?? segment);
  return (
    contract.operation(method, plain) ??
    // A message may be named by way of its folder.
    contract.operation(method, plain.replace(/\/mailFolders\/[^/]+(?=\/messages\/)/, ''))
  );
}

function successProblems(operation: Operation, { status, headers, body }: Step): string[] {
  const documented = operation.node['x-documented-status'];
  const wrongStatus =
    status === documented ? [] : [`status is ${status}, not ${String(documented)}`];
  if (status === 201 && headers['location'] === undefined)
    wrongStatus.push('header location is missing');
  const schema = contract.schemaOf(operation, status);
  if (typeof schema !== 'string') {
    return body === undefined ? wrongStatus : [...wrongStatus, 'a body where there is none'];
  }
  if (body === undefined) return [...wrongStatus, 'no body'];
  return [
    ...wrongStatus,
    ...contract.problemsOf(body, schema, isAnnotation),
    ...practiceProblems(operation, body),
  ];
}

/** `@odata.etag`, `toRecipients@odata.type`. */
function isAnnotation(name: string): boolean {
  return name.includes('@odata.');
}

const Body = z.looseObject({});

/** The schemas require nothing. */
function practiceProblems({ template }: Operation, body: unknown): string[] {
  const { success, data } = Body.safeParse(body);
  if (!success || template.endsWith('$batch')) return [];
  const context = data['@odata.context'] === undefined ? ['/@odata.context is missing'] : [];
  const { value } = data;
  if (Array.isArray(value)) {
    const nameless = value.filter((item) => Body.parse(item)['id'] === undefined);
    return nameless.length === 0 ? context : [...context, 'an entry of /value has no id'];
  }
  if (template === '/me' || template === '/users/{user-id}') return context; // as selected
  return data['id'] === undefined ? [...context, '/id is missing'] : context;
}

const GraphError = z.object({
  error: z.object({
    code: z.string().min(1),
    message: z.string(), // empty beside UnknownError
    innerError: z.object({
      date: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/),
      'request-id': z.string().min(1),
      'client-request-id': z.string().min(1),
    }),
  }),
});

function errorProblems({ status, headers, body }: Step): string[] {
  const wait =
    status !== 429 || /^\d+$/.test(headers['retry-after'] ?? '')
      ? []
      : [`429 with Retry-After ${headers['retry-after'] ?? 'missing'}`];
  const { error } = GraphError.safeParse(body);
  const shape = error ? [z.prettifyError(error)] : [];
  const schema = '#/components/schemas/microsoft.graph.ODataErrors.ODataError';
  return [...wait, ...shape, ...contract.problemsOf(body, schema, isErrorName)];
}

function isErrorName(name: string): boolean {
  return (
    isAnnotation(name) || ['date', 'request-id', 'client-request-id', 'innerError'].includes(name)
  );
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}
