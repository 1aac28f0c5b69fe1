import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  normalQuantile,
  type Random,
  seededRandom,
  stringifyJsonLine,
  writeFileAtomic,
} from '@buddy/core';
import { sampleContacts } from '@buddy/mocks';
import { SAMPLE_CONTACTS } from '../world/tools.ts';
import { careOf, type TaskTruth, TruthRecord } from '../world/truth.ts';
import { choose } from './choose.ts';
import { programOf } from './programs.ts';

/**
 * Writes the shipped data: what a predictor says of 10 000 tasks over 10 waves (`phase20/`), and beside it, for the world
 * alone, what they are really like (`truth.jsonl`). The predictor is too sure of itself and does not know that wave 6
 * makes everything harder; about 2 % of the lines are malformed or repeated. A few dozen tasks are programs (`code`).
 *
 *   pnpm example data/generate.ts [--seed 23] [--waves 10] [--tasks 1000] [--out examples/data]
 */
const { values: args } = parseArgs({
  options: {
    seed: { type: 'string', default: '23' },
    waves: { type: 'string', default: '10' },
    tasks: { type: 'string', default: '1000' },
    out: { type: 'string', default: import.meta.dirname },
  },
});
const seed = Number(args.seed);
const random = seededRandom(seed).child('data');

interface Draft {
  action: string;
  input: object;
  /** Set instead of `action` for programs. */
  code?: string;
  /** Of a program: it cannot work. */
  isBad?: boolean;
}

interface Task extends Draft {
  id: string;
  wave: number;
  dependsOn: string[];
  truth: TaskTruth;
  line: object;
}

const RISKS: Readonly<Record<string, string>> = {
  'msgraph.mail.send': 'HIGH',
  'gohighlevel.contacts.create': 'MEDIUM',
  'gohighlevel.contacts.update': 'MEDIUM',
};
const STATES = ['CA', 'TX', 'NY', 'FL', 'IL', 'WA', 'CO', 'GA'];
const SENIORITIES = ['owner', 'c_level', 'vp', 'director', 'manager'];
const DRIFT_FROM_WAVE = 6;
const DRIFT = 0.9;
/** Of the log of the duration. */
const WORK_SIGMA = 0.5;
const ESTIMATE_SIGMA = 0.35;
const contacts = sampleContacts({ seed, count: SAMPLE_CONTACTS });

/** What agents are asked to do, how often, and how long that takes at speed 1 without the provider's latency. */
const KINDS: readonly {
  share: number;
  medianMs: number;
  latencyMs: number;
  draft: (id: string, draw: Random) => Draft;
}[] = [
  { share: 0.25, medianMs: 1_500, latencyMs: 400, draft: searchProspects },
  { share: 0.22, medianMs: 2_000, latencyMs: 260, draft: createContact },
  { share: 0.15, medianMs: 1_200, latencyMs: 240, draft: updateContact },
  { share: 0.1, medianMs: 800, latencyMs: 180, draft: findContact },
  { share: 0.18, medianMs: 3_000, latencyMs: 350, draft: sendMail },
  { share: 0.094, medianMs: 700, latencyMs: 380, draft: searchMail },
  { share: 0.006, medianMs: 2_500, latencyMs: 1_000, draft: program },
];

const tasks: Task[] = [];
let programs = 0;
for (let wave = 1; wave <= Number(args.waves); wave++) {
  const count = Number(args.tasks);
  while (tasks.length < wave * count) {
    const isChain = random() < 0.017 && tasks.length + 3 <= wave * count;
    if (isChain) addChain(wave);
    else addTask(wave, pick(KINDS, random()));
  }
}

const lines = tasks.map(({ line }) => stringifyJsonLine(line));
addBrokenDependencies();
const withNoise = lines.flatMap((line, at) => [line, ...noise(line, at)]);
const folder = join(args.out, 'phase20');
await mkdir(folder, { recursive: true });
await writeFileAtomic(join(folder, 'predicted_tasks.jsonl'), withNoise.join(''));
await writeFileAtomic(join(folder, 'predicted_schedule.jsonl'), schedule());
const truths = tasks.map(({ truth }) => stringifyJsonLine(TruthRecord.encode(truth)));
await writeFileAtomic(join(args.out, 'truth.jsonl'), truths.join(''));
process.stdout.write(`${tasks.length} tasks in ${withNoise.length} lines: ${folder}\n`);

/** Find a prospect, bring them into the CRM, write to them. */
function addChain(wave: number): void {
  const [search, create, , , mail] = KINDS;
  if (!search || !create || !mail) return;
  const first = addTask(wave, search);
  const second = addTask(wave, create, [first.id]);
  addTask(wave, mail, [second.id]);
}

function addTask(wave: number, kind: (typeof KINDS)[number], dependsOn: string[] = []): Task {
  const id = `t${String(wave).padStart(2, '0')}-${String(tasks.length).padStart(5, '0')}`;
  const draw = random.child(id);
  const draft = kind.draft(id, draw);
  const isBadInput = draft.isBad ?? draw() < 0.03;
  const knownDifficulty = 0.9 * normal(draw);
  const truth: TaskTruth = {
    taskId: id,
    difficulty: rounded(knownDifficulty + (wave >= DRIFT_FROM_WAVE ? DRIFT : 0)),
    isBadInput,
    workMs: Math.round(kind.medianMs * Math.exp(WORK_SIGMA * normal(draw))),
  };
  const input = draft.code === undefined && isBadInput ? spoiled(draft.input) : draft.input;
  const line = {
    task_id: id,
    wave,
    agent_id: draw() < 0.2 ? `agent_${Math.floor(draw() * 4)}` : null,
    predicted_success_probability: overconfident(
      careOf({ skill: -0.15 }, { difficulty: knownDifficulty }),
      draw,
    ),
    priority: Math.floor(draw() * 10),
    ...(draft.code === undefined ? { action: draft.action, input } : { code: draft.code }),
    predicted_execution_time: rounded(
      ((truth.workMs + kind.latencyMs) * Math.exp(ESTIMATE_SIGMA * normal(draw))) / 1000,
    ),
    confidence: rounded(0.4 + 0.5 * draw()),
    risk_assessment: RISKS[draft.action] ?? 'LOW',
    ...(dependsOn.length > 0 && { depends_on: dependsOn }),
    heuristics: heuristicsFor(knownDifficulty, draw),
  };
  const task = { ...draft, id, wave, dependsOn, truth, line };
  tasks.push(task);
  return task;
}

/** Slope 1.6 and shift .3 in log-odds: what it thinks likely comes out less often than it says; and it is noisy. */
function overconfident(probability: number, draw: Random): number {
  const logOdds = Math.log(probability / (1 - probability));
  const said = 1.6 * logOdds + 0.3 + 0.5 * normal(draw);
  return rounded(Math.min(0.999, Math.max(0.001, 1 / (1 + Math.exp(-said)))));
}

/** Two that tell something of the task, and one that tells nothing. */
function heuristicsFor(difficulty: number, draw: Random): string[] {
  const names: string[] = [];
  if (difficulty + 0.3 * normal(draw) < -0.4) names.push('warm-lead');
  if (difficulty + 0.3 * normal(draw) > 0.5) names.push('cold-list');
  if (draw() < 0.4) names.push('peak-hours');
  return names;
}

function searchProspects(_id: string, draw: Random): Draft {
  const state = choose(STATES, draw);
  const seniority = choose(SENIORITIES, draw);
  const min = 10 * Math.ceil(draw() * 20);
  const input = { state, seniority, employeeCount: { min, max: min * 10 } };
  return { action: 'mployer.contacts.search', input };
}

function createContact(id: string, draw: Random): Draft {
  const { firstName = 'Ada', lastName = 'Example', city } = choose(contacts, draw);
  const email = `${id}@example.com`;
  const input = {
    firstName,
    lastName,
    email,
    ...(city !== undefined && { city }),
    source: 'mployer',
  };
  return { action: 'gohighlevel.contacts.create', input };
}

function updateContact(id: string, draw: Random): Draft {
  const { id: contactId } = choose(contacts, draw);
  const changes = { tags: ['renewal', `wave-${id.slice(1, 3)}`], source: 'buddy' };
  return { action: 'gohighlevel.contacts.update', input: { contactId, changes } };
}

function findContact(_id: string, draw: Random): Draft {
  const { email = 'ada@example.com' } = choose(contacts, draw);
  return { action: 'gohighlevel.contacts.find', input: { email } };
}

function sendMail(id: string, draw: Random): Draft {
  const { email = 'ada@example.com', firstName = 'Ada' } = choose(contacts, draw);
  const subject = `Your benefits renewal (ref ${id})`;
  const text = `Hello ${firstName}, your plan renews soon. Shall we look at it together?`;
  return { action: 'msgraph.mail.send', input: { to: email, subject, text } };
}

function searchMail(_id: string, draw: Random): Draft {
  const query = choose(['renewal', 'subject:benefits', 'invoice', 'from:example'], draw);
  return { action: 'msgraph.mail.search', input: { query } };
}

function program(_id: string, draw: Random): Draft {
  programs += 1;
  const written = programOf({ number: programs, states: STATES, contacts }, draw);
  return { action: 'sandbox.run', input: {}, ...written };
}

/** An input that no amount of care can make work. */
function spoiled(input: object): object {
  const entries = Object.entries(input);
  const [name] = entries[0] ?? [];
  return Object.fromEntries(
    entries.map(([key, value]) =>
      key === name || key === 'email' || key === 'to' ? [key, 42] : [key, value],
    ),
  );
}

/** What real files are like: a line that was cut, one with a wrong value, one that came twice. */
function noise(line: string, at: number): string[] {
  const draw = random.child(`noise/${at}`);
  if (draw() >= 0.02) return [];
  const kind = draw();
  if (kind < 0.4) return [line];
  if (kind < 0.6) return [`${line.slice(0, Math.floor(line.length / 2))}\n`];
  if (kind < 0.8)
    return [
      line
        .replace(/"task_id":"[^"]*"/, `"task_id":"n${at}"`)
        .replace(/"predicted_success_probability":[\d.]+/, '"predicted_success_probability":1.7'),
    ];
  return [line.replace(/"task_id":"[^"]*",/, '')];
}

/** Three tasks that wait for each other, and one for a task that is not there. */
function addBrokenDependencies(): void {
  const ids = tasks.slice(10, 13).map(({ id }) => id);
  ids.forEach((_id, at) => depend(10 + at, ids[(at + 1) % 3] ?? ''));
  depend(20, 't01-99999');
}

function depend(at: number, id: string): void {
  const task = tasks[at];
  if (task) lines[at] = stringifyJsonLine({ ...task.line, depends_on: [id] });
}

/** One wave is said to have a task more than it has. */
function schedule(): string {
  const waves = Array.from({ length: Number(args.waves) }, (_, at) => at + 1);
  return waves.map(scheduleLine).join('');
}

function scheduleLine(wave: number): string {
  const count = tasks.filter((task) => task.wave === wave).length;
  return stringifyJsonLine({ wave, tasks_count: wave === 7 ? count + 1 : count });
}

function pick(kinds: typeof KINDS, drawn: number): (typeof KINDS)[number] {
  let below = 0;
  for (const kind of kinds) {
    below += kind.share;
    if (drawn < below) return kind;
  }
  throw new RangeError('The shares of the kinds must add up to 1');
}

function normal(draw: Random): number {
  return normalQuantile(Math.max(draw(), Number.MIN_VALUE));
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
