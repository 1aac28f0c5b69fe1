import { z } from 'zod';

/** The statuses that a fault can answer; each is worded as the provider words it. */
const FAULT_STATUSES = [400, 401, 403, 404, 408, 409, 422, 429, 500, 502, 503, 504] as const;

/** The statuses that leave open whether the call was carried out, and the one with which a vendor once lied about it. */
const DOUBTFUL_STATUSES = [408, 422, 500, 502, 503, 504] as const;

const Match = z.strictObject({
  /** Whose calls; everybody's when left out. */
  provider: z.enum(['mployer', 'gohighlevel', 'msgraph']).optional(),
  /** The operation's name, `*` standing for any part of it. */
  operation: z.string().min(1),
});

const Count = z.int().positive();
const Milliseconds = z.number().nonnegative();
/** A day at most: no caller waits longer, and timers soon cannot. */
const Wait = Milliseconds.max(86_400_000);

const WHEN_NAMES = ['rate', 'nth', 'every', 'burst', 'window', 'script'] as const;

/** Which of the matching calls a rule strikes: exactly one of these. Calls are counted from 1, each operation by itself. */
const When = z
  .strictObject({
    /** The share of the calls. Rates of several rules add up and may not pass 1. */
    rate: z.number().min(0).max(1).optional(),
    /** The nth call, or several. */
    nth: z.union([Count, z.array(Count).min(1)], { error: countsExpected }).optional(),
    /** Every nth call: 3 strikes the third, the sixth, ... */
    every: Count.optional(),
    /** The calls from one to another, both included. */
    burst: z
      .strictObject({ from: Count, to: Count })
      .refine(({ from, to }) => from <= to, { error: 'must not end before it begins' })
      .optional(),
    /** All calls that begin within a span of time, in ms since the mock was made or reset; its end is not in it. */
    window: z
      .strictObject({ fromMs: Milliseconds, toMs: Milliseconds })
      .refine(({ fromMs, toMs }) => fromMs < toMs, { error: 'must end after it begins' })
      .optional(),
    /** What befalls the first call, the second, and so on; calls after the end pass. */
    script: z
      .array(z.enum(['pass', 'strike']))
      .min(1)
      .optional(),
  })
  .refine((when) => WHEN_NAMES.filter((name) => when[name] !== undefined).length === 1, {
    error: `must hold exactly one of ${WHEN_NAMES.join(', ')}`,
  });
export type When = z.output<typeof When>;

const common = { match: Match, when: When };

/**
 * One way in which calls go wrong, as plain data: it can be kept in a file. A call suffers one fault at most.
 * @example
 * { match: { provider: 'gohighlevel', operation: 'contacts.*' }, kind: 'status', status: 503, when: { rate: 0.01 } }
 */
export const FaultRule = z.discriminatedUnion(
  'kind',
  [
    /** An error in place of the answer. A 408 or 5xx comes before the call is carried out or after it, half and half. */
    z.strictObject({
      ...common,
      kind: z.literal('status'),
      status: z.literal(FAULT_STATUSES, { error: `must be one of ${FAULT_STATUSES.join(', ')}` }),
      /** How long a 429 or 503 asks to wait, in ms, a day at most; 1000 when left out of a 429. */
      retryAfterMs: Wait.optional(),
    }),
    /** The right answer, later by so much. */
    z.strictObject({ ...common, kind: z.literal('latency'), addMs: Wait }),
    /** The connection is lost before the call is carried out. */
    z.strictObject({ ...common, kind: z.literal('reset') }),
    /** No answer and nothing done, until the caller gives up or the connection is lost: after 60 000 ms when left out. */
    z.strictObject({ ...common, kind: z.literal('hang'), capMs: Wait.optional() }),
    /** Carried out, but the connection is lost in the middle of the answer's body. */
    z.strictObject({ ...common, kind: z.literal('truncate') }),
    /** The right answer, its body in pieces over a while: 5000 ms when left out. */
    z.strictObject({ ...common, kind: z.literal('slowBody'), overMs: Wait.optional() }),
    /** Carried out, and then an error; without a status the connection is lost. */
    z.strictObject({
      ...common,
      kind: z.literal('commitThenFail'),
      status: z
        .literal(DOUBTFUL_STATUSES, { error: `must be one of ${DOUBTFUL_STATUSES.join(', ')}` })
        .optional(),
    }),
    /** A read that misses the latest write, as of a replica that lags. Writes are not touched. */
    z.strictObject({ ...common, kind: z.literal('staleRead') }),
  ],
  {
    error: ({ code }) =>
      code === 'invalid_union'
        ? 'must be one of status, latency, reset, hang, truncate, slowBody, commitThenFail, staleRead'
        : undefined,
  },
);
export type FaultRule = z.output<typeof FaultRule>;

/** What befalls a call: a rule without its conditions. */
export type Fault = FaultRule extends infer Rule
  ? Rule extends FaultRule
    ? Readonly<Omit<Rule, 'match' | 'when'>>
    : never
  : never;

export const FAULT_PROFILES = ['none', 'seed', 'flaky', 'storm', 'down', 'real-limits'] as const;
export type FaultProfile = (typeof FAULT_PROFILES)[number];

/** A profile by its name, or the rules themselves. */
export const Faults = z.union([z.enum(FAULT_PROFILES), z.array(FaultRule)], {
  // Zod keeps to itself what is wrong inside a union; of a list it is worth saying.
  error: ({ input, errors }) =>
    Array.isArray(input)
      ? `must be a list of fault rules: ${problemsOf(errors).join('; ')}`
      : `must be one of ${FAULT_PROFILES.join(', ')}, or a list of fault rules`,
});
export type Faults = z.output<typeof Faults>;

function problemsOf(errors: readonly z.core.$ZodIssue[][]): string[] {
  const [, ofTheList = []] = errors;
  return ofTheList.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

function countsExpected(): string {
  return 'must be a number of a call, from 1, or a list of such numbers';
}
