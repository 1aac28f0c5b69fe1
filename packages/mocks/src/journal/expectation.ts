import { inspect, isDeepStrictEqual } from 'node:util';
import type { JournalEntry } from './entry.ts';
import { JournalExpectationError } from './errors.ts';

/**
 * What is expected of an operation's calls. Each method looks at once, throws when it is not so, and can be followed by
 * another.
 * @example
 * journal.expect('contacts.create').times(2).withBody({ email: 'ada@example.com' }).withBody({ name: 'Bo' }).inOrder();
 */
export interface JournalExpectation {
  /** So many calls, no more and no fewer. @throws {JournalExpectationError} */
  times(count: number): JournalExpectation;
  /**
   * Some call whose body holds `part`: of an object these fields, of a list these entries and no others. Secrets are
   * redacted in the journal, so they cannot be expected. @throws {JournalExpectationError}
   */
  withBody(part: unknown): JournalExpectation;
  /** Some call that is all of this at once. @throws {JournalExpectationError} */
  with(call: ExpectedCall): JournalExpectation;
  /** The calls named so far began in the order in which they were named. @throws {JournalExpectationError} */
  inOrder(): JournalExpectation;
}

/** A call, as far as it matters. */
export interface ExpectedCall {
  readonly body?: unknown;
  readonly query?: Readonly<Record<string, string>>;
  /** By name in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Of the answer. */
  readonly status?: number;
}

/** @param entries The operation's calls; `others` all calls, to tell what there was instead. */
export function expectCalls(
  operation: string,
  entries: readonly JournalEntry[],
  others: readonly JournalEntry[],
): JournalExpectation {
  const calls = entries.toSorted((a, b) => a.n - b.n);
  const named: ExpectedCall[] = [];

  const expectation: JournalExpectation = {
    times: (count) => {
      if (calls.length === count) return expectation;
      throw new JournalExpectationError(
        `${operation} was called ${calls.length} times, not ${count}. ${whatWas(operation, calls, others)}`,
      );
    },
    withBody: (body) => expectation.with({ body }),
    with: (wanted) => {
      if (!calls.some((call) => isMet(call, wanted))) {
        throw new JournalExpectationError(
          `No call of ${operation} had ${shown(wanted)}. ${nearest(operation, calls, others, wanted)}`,
        );
      }
      named.push(wanted);
      return expectation;
    },
    inOrder: () => {
      let from = 0;
      for (const wanted of named) {
        const at = calls.findIndex((call, index) => index >= from && isMet(call, wanted));
        if (at === -1) {
          throw new JournalExpectationError(
            `No call of ${operation} that had ${shown(wanted)} came after those named before it. ${whatWas(operation, calls, others)}`,
          );
        }
        from = at + 1;
      }
      return expectation;
    },
  };
  return expectation;
}

function isMet(call: JournalEntry, wanted: ExpectedCall): boolean {
  return lacks(call, wanted).length === 0;
}

/** In what a call differs from the one that is wanted. */
function lacks({ request, response }: JournalEntry, wanted: ExpectedCall): string[] {
  const call: ExpectedCall = {
    body: request.body,
    query: Object.fromEntries(new URLSearchParams(request.query)),
    headers: request.headers,
    ...(response && { status: response.status }),
  };
  return differences(call, wanted, '');
}

const MOST_SHOWN = 3;

/** The calls that differ least, and in what. */
function nearest(
  operation: string,
  calls: readonly JournalEntry[],
  others: readonly JournalEntry[],
  wanted: ExpectedCall,
): string {
  if (calls.length === 0) return whatWas(operation, calls, others);
  const ranked = calls
    .map((call) => ({ call, differences: lacks(call, wanted) }))
    .toSorted((a, b) => a.differences.length - b.differences.length || a.call.n - b.call.n)
    .slice(0, MOST_SHOWN)
    .map(({ call, differences: found }) => `  ${titleOf(call)}: ${found.join('; ')}`);
  return [`Nearest of ${calls.length}:`, ...ranked].join('\n');
}

function whatWas(
  operation: string,
  calls: readonly JournalEntry[],
  others: readonly JournalEntry[],
): string {
  if (calls.length > 0) {
    const latest = calls
      .slice(-MOST_SHOWN)
      .map((call) => `  ${titleOf(call)}: ${shown(call.request.body)}`);
    return [calls.length > MOST_SHOWN ? 'The latest were:' : 'They were:', ...latest].join('\n');
  }
  if (others.length === 0) return 'Nothing was called.';
  const counts = new Map<string, number>();
  for (const { operation: other } of others) counts.set(other, (counts.get(other) ?? 0) + 1);
  const list = [...counts].map(([other, count]) => `${other} (${count})`).join(', ');
  return `Never ${operation}; called were ${list}.`;
}

function titleOf({ n, request, response, outcome }: JournalEntry): string {
  return `#${n} ${request.method} ${request.path} -> ${response?.status ?? outcome}`;
}

/** Where `actual` lacks what `part` holds. */
function differences(actual: unknown, part: unknown, path: string): string[] {
  if (Array.isArray(part) && Array.isArray(actual) && part.length === actual.length) {
    return part.flatMap((item, at) => differences(actual[at], item, `${path}[${at}]`));
  }
  if (isFields(part) && isFields(actual)) {
    return Object.entries(part).flatMap(([key, value]) =>
      differences(actual[key], value, path === '' ? key : `${path}.${key}`),
    );
  }
  return isDeepStrictEqual(actual, part) ? [] : [`${path} is ${shown(actual)}, not ${shown(part)}`];
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  return inspect(value, { depth: 4, breakLength: Infinity, maxStringLength: 200 });
}
