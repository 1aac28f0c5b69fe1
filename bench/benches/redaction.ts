import { redactLog } from '@npmcli/redact';
import { redact as redactForServers } from '@npmcli/redact/server';
import { type Random, redactText, seededRandom } from '../../packages/core/src/index.ts';
import type { Figure } from '../measure/figure.ts';
import { summary, timeRounds } from '../measure/rounds.ts';

const LINE_LENGTH = 200;
const LINES = 10_000;

type Redact = (line: string) => unknown;

/** What it costs to take the secrets out of a line of a log. */
export async function measureRedaction(): Promise<Figure[]> {
  const random = seededRandom(23);
  const mixed = linesOf(random.child('mixed'), [...PROSE, ...SECRETS]);
  const kinds: [string, string[], Redact, boolean?][] = [
    ['log lines, one word in eight a secret', mixed, redactText],
    ['nothing but words', linesOf(random.child('clean'), PROSE), redactText],
    ['nothing but secrets', linesOf(random.child('secret'), SECRETS), redactText],
    ['random printable characters', noise(random.child('noise')), redactText],
    [
      'nothing but "a://b:", and an "@" at the end',
      repeated('a://b:').map((line) => `${line.slice(0, -2)} @`),
      redactText,
    ],
    ...ADVERSARIAL.map((pattern): [string, string[], Redact] => [
      `nothing but ${JSON.stringify(pattern)}`,
      repeated(pattern),
      redactText,
    ]),
    ['the same log lines, @npmcli/redact/server (fewer kinds)', mixed, redactForServers, true],
    ['the same log lines, @npmcli/redact redactLog (fewer kinds)', mixed, redactLog, true],
  ];
  const times = await timeRounds(
    kinds.map(([name, lines, redact]) => ({
      name,
      prepare: () => async () => redactAll(lines, redact),
    })),
    { rounds: 9, warmUps: 3 },
  );
  return kinds.map(([name, , , isPeer = false]): Figure => {
    const usPerLine = (times.get(name) ?? []).map((ms) => (ms * 1000) / LINES);
    const target = { is: 'at most', value: 10 } as const;
    return { name, unit: 'us', ...summary(usPerLine), ...(isPeer ? { isPeer } : { target }) };
  });
}

const PROSE = [
  ...'the run has ended after a retry because server did not answer in time'.split(' '),
  ...'contact=ada status=200 ms=41 wave_3/agent_0 crm.contacts.upsert "quoted words"'.split(' '),
  ...'2026-11-21T10:00:00.000Z https://example.com/path?page=2 task-000417 attempt:2'.split(' '),
];
const SECRETS = [
  'password=hunter2hunter2',
  'Bearer mF_9.B5f-4.1JqMx8Qw',
  'postgres://ada:hunter2@db:5432/crm',
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N',
];

/**
 * What makes scanners slow: each opens something and never ends it, or nearly matches, again and again. From the tests of
 * the package, which count the work on many more; these cost the most time.
 */
const ADVERSARIAL = [
  ...String.raw`http://a: a://b: a://b:c/ a://b:[ x://a:b@ 1.1.1.1 a: token:\ -----BEGIN`.split(
    ' ',
  ),
  'Bearer ',
];

/** Each line starts at another place of the pattern. */
function repeated(pattern: string): string[] {
  const text = pattern.repeat(LINE_LENGTH + 1);
  return Array.from({ length: LINES }, (_, n) => {
    const start = n % pattern.length;
    return text.slice(start, start + LINE_LENGTH);
  });
}

function linesOf(random: Random, words: readonly string[]): string[] {
  return Array.from({ length: LINES }, () => {
    let line = '';
    while (line.length < LINE_LENGTH) line += `${words[Math.floor(random() * words.length)]} `;
    return line.slice(0, LINE_LENGTH);
  });
}

function noise(random: Random): string[] {
  const character = () => String.fromCharCode(0x20 + Math.floor(random() * 0x5f));
  return Array.from({ length: LINES }, () =>
    Array.from({ length: LINE_LENGTH }, character).join(''),
  );
}

function redactAll(lines: readonly string[], redact: Redact): void {
  let changed = 0;
  for (const line of lines) changed += redact(line) === line ? 0 : 1;
  // Read, so that no compiler can leave the work out.
  if (changed < 0) throw new Error('lines cannot be changed fewer than no times');
}
