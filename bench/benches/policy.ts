import { median, seededRandom } from '../../packages/core/src/index.ts';
import type { Figure } from '../measure/figure.ts';
import { buddy, casbin, casl, cedar, type Decide } from './policy-engines.ts';
import { drawRequests, makeRules, type Request } from './policy-workload.ts';

const ROUNDS = 9;
const REQUESTS = 4_096;
/** Of the slow ones, or a round would take a minute. */
const FEW_REQUESTS = 256;

interface Engine {
  name: string;
  decide: Decide;
  requests: readonly Request[];
}

/** What one decision costs, with tier and explanation, beside engines that answer yes or no. */
export async function measurePolicy(): Promise<Figure[]> {
  const [small, middle, large] = [10, 100, 1_000].map((size) => ({
    rules: makeRules(size),
    requests: drawRequests(size, REQUESTS, seededRandom(41)),
  }));
  if (!small || !middle || !large) throw new Error('There are three sizes');
  const few = middle.requests.slice(0, FEW_REQUESTS);
  const engines: Engine[] = [
    { name: 'buddy 100', decide: buddy(middle.rules), requests: middle.requests },
    { name: 'casl', decide: casl(middle.rules), requests: middle.requests },
    { name: 'casbin', decide: await casbin(middle.rules), requests: few },
    { name: 'cedar', decide: cedar(middle.rules), requests: few },
    { name: 'buddy 10', decide: buddy(small.rules), requests: small.requests },
    { name: 'buddy 1000', decide: buddy(large.rules), requests: large.requests },
  ];
  checkAgreement(engines.slice(0, 4), few);

  const p50s = timed(engines);
  const at = (name: string) => p50s.get(name) ?? [];
  const ratio = (one: string, other: string) =>
    at(one).map((us, n) => us / (at(other)[n] ?? Number.NaN));
  return [
    figure('decide and explain, 100 rules, p50', 'us', at('buddy 100'), {
      is: 'at most',
      value: 1,
    }),
    figure('the same, 10 rules', 'us', at('buddy 10')),
    figure('the same, 1000 rules', 'us', at('buddy 1000')),
    figure('1000 rules / 10 rules', '', ratio('buddy 1000', 'buddy 10'), {
      is: 'at most',
      value: 2,
    }),
    peer('@casl/ability, 100 rules, yes or no', at('casl')),
    peer('casbin enforceSync, 100 rules, yes or no', at('casbin')),
    peer('cedar-wasm, policies preparsed, 100 rules, yes or no', at('cedar')),
    figure('Buddy / CASL', '', ratio('buddy 100', 'casl'), { is: 'at most', value: 2 }),
    figure('casbin / Buddy', '', ratio('casbin', 'buddy 100'), { is: 'at least', value: 50 }),
    figure('cedar / Buddy', '', ratio('cedar', 'buddy 100'), { is: 'at least', value: 100 }),
  ];
}

/** Like is compared with like only while all give the same answers. */
function checkAgreement(engines: readonly Engine[], requests: readonly Request[]): void {
  for (const request of requests) {
    const answers = engines.map(({ decide }) => decide(request));
    if (new Set(answers).size !== 1)
      throw new Error(`They disagree on ${JSON.stringify(request)}: ${answers.join(', ')}`);
  }
}

/** The p50 of each round, in microseconds; the engines take turns. */
function timed(engines: readonly Engine[]): ReadonlyMap<string, readonly number[]> {
  const p50s = new Map(engines.map(({ name }) => [name, [] as number[]]));
  for (let round = -3; round < ROUNDS; round += 1) {
    for (let turn = 0; turn < engines.length; turn += 1) {
      const engine = engines[(turn + round + engines.length) % engines.length];
      if (!engine) continue;
      const us = p50Of(engine);
      if (round >= 0) p50s.get(engine.name)?.push(us);
    }
  }
  return p50s;
}

function p50Of({ decide, requests }: Engine): number {
  const times: number[] = [];
  let allowed = 0;
  for (const request of requests) {
    const startedAt = process.hrtime.bigint();
    const isAllowed = decide(request);
    times.push(Number(process.hrtime.bigint() - startedAt) / 1_000);
    if (isAllowed) allowed += 1;
  }
  // Read, so that no compiler can leave the work out.
  if (allowed > requests.length) throw new Error('no more can be allowed than are asked');
  return median(times);
}

function figure(
  name: string,
  unit: string,
  rounds: readonly number[],
  target?: Figure['target'],
): Figure {
  const range = [Math.min(...rounds), Math.max(...rounds)] as const;
  return { name, unit, measured: median(rounds), range, ...(target && { target }) };
}

function peer(name: string, rounds: readonly number[]): Figure {
  return { ...figure(name, 'us', rounds), isPeer: true };
}
