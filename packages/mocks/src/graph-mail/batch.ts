import { z } from 'zod';
import type { Json, WireBody, WireRequest } from '../wire/message.ts';
import type { StateChange, WireAnswer } from '../wire/provider.ts';
import type { Outcome } from './answers.ts';
import { badRequest, GraphRefusal } from './refusal.ts';

const MAX_STEPS = 20;

const Batch = z.object({
  requests: z
    .array(
      z.object({
        id: z.string().min(1),
        method: z.string(),
        url: z.string().min(1),
        dependsOn: z.array(z.string()).nullish(),
        headers: z.record(z.string(), z.string()).nullish(),
        body: z.unknown().optional(),
      }),
    )
    .min(1),
});
type Step = z.output<typeof Batch>['requests'][number];

interface StepAnswer {
  readonly status: number;
  readonly json: { readonly [name: string]: Json };
}

/**
 * Runs a JSON batch: the steps in the order in which they depend on each other, one at a time; what depends on a step
 * that failed is answered 424 and not done.
 * @throws {GraphRefusal} 400 for what is no batch; nothing was done.
 */
export function runBatch(
  request: WireRequest,
  serve: (step: string, request: WireRequest, refusal?: GraphRefusal) => WireAnswer,
): Outcome {
  const steps = stepsOf(request.body);
  const requests = inOrder(steps).map((step) => ({ step, stepRequest: requestOf(step, request) }));
  const answers = new Map<string, StepAnswer>();
  const changes: StateChange[] = [];
  for (const { step, stepRequest } of requests) {
    const failed = (step.dependsOn ?? []).find((id) => !isSuccess(answers.get(id)));
    const refusal = failed === undefined ? undefined : failedDependency(failed);
    const answer = serve(step.id, stepRequest, refusal);
    changes.push(...(answer.changes ?? []));
    answers.set(step.id, stepAnswer(step.id, answer));
  }
  const responses = [...answers.values()].map(({ json }) => json);
  return { status: 200, body: { responses }, changes };
}

function stepsOf(body: WireBody): readonly Step[] {
  const result = Batch.safeParse(body.kind === 'json' ? body.value : undefined);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw badRequest(
      `Invalid batch payload format: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}.`,
    );
  }
  const { requests } = result.data;
  if (requests.length > MAX_STEPS) {
    throw badRequest(
      `Number of batch request steps exceeds the maximum value of ${MAX_STEPS}.`,
      'MaximumValueExceeded',
    );
  }
  const ids = new Set(requests.map(({ id }) => id));
  if (ids.size < requests.length) {
    throw badRequest('Invalid batch: the ids of its steps are not unique.');
  }
  for (const { id, dependsOn } of requests) {
    const unknown = dependsOn?.find((one) => !ids.has(one) || one === id);
    if (unknown !== undefined) {
      throw badRequest(`Invalid batch: step '${id}' cannot depend on '${unknown}'.`);
    }
  }
  return requests;
}

/** As they stand, each after what it depends on. */
function inOrder(steps: readonly Step[]): readonly Step[] {
  const ordered = new Map<string, Step>();
  for (let left = [...steps]; left.length > 0;) {
    const ready = left.filter(({ dependsOn }) => (dependsOn ?? []).every((id) => ordered.has(id)));
    if (ready.length === 0) throw badRequest('Invalid batch: its steps depend on each other.');
    for (const step of ready) ordered.set(step.id, step);
    left = left.filter(({ id }) => !ordered.has(id));
  }
  return [...ordered.values()];
}

function requestOf(step: Step, outer: WireRequest): WireRequest {
  const headers = Object.fromEntries(
    Object.entries(step.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const body = bodyOf(step, headers['content-type']);
  const url = step.url.startsWith('/') ? step.url : `/${step.url}`;
  const [path = '', ...search] = url.split('?');
  return {
    method: step.method.toUpperCase(),
    origin: outer.origin,
    path: /^\/v1\.0(?:\/|$)/i.test(path) ? path : `/v1.0${path}`,
    query: new URLSearchParams(search.join('?')),
    headers: {
      ...(outer.headers['client-request-id'] !== undefined && {
        'client-request-id': outer.headers['client-request-id'],
      }),
      ...headers,
    },
    body,
  };
}

function bodyOf({ id, body }: Step, contentType: string | undefined): WireBody {
  if (body === undefined || body === null) return { kind: 'none' };
  if (contentType === undefined) {
    throw badRequest(`Write request id : ${id} does not contain Content-Type header or body.`);
  }
  if (typeof body === 'string' && !/json/i.test(contentType)) {
    return {
      kind: 'unreadable',
      contentType: contentType.split(';', 1)[0]?.trim() ?? '',
      text: body,
    };
  }
  return { kind: 'json', value: body };
}

function failedDependency(failed: string): GraphRefusal {
  return new GraphRefusal(
    424,
    'FailedDependency',
    `The request was not done, for it depends on '${failed}', which failed.`,
  );
}

function isSuccess(answer: StepAnswer | undefined): boolean {
  return answer !== undefined && answer.status < 400;
}

/** The headers that a step has of its own; the rest are the batch's. */
const STEP_HEADERS: ReadonlyMap<string, string> = new Map([
  ['cache-control', 'Cache-Control'],
  ['content-type', 'Content-Type'],
  ['location', 'Location'],
  ['odata-version', 'OData-Version'],
  ['preference-applied', 'Preference-Applied'],
  ['retry-after', 'Retry-After'],
]);

function stepAnswer(id: string, { status, headers, body }: WireAnswer): StepAnswer {
  const own = Object.entries(headers).flatMap(([name, value]) => {
    const spelt = STEP_HEADERS.get(name);
    return spelt === undefined ? [] : [[spelt, value]];
  });
  return {
    status,
    json: { id, status, headers: Object.fromEntries(own), ...(body !== undefined && { body }) },
  };
}
