import { readdirSync, readFileSync } from 'node:fs';
import type { RunResult, Sandbox, ViolationRecord } from '@buddy/sandbox';
import type { Attempt } from './attempt.ts';
import { AFTERWARDS } from './afterwards.ts';
import { peakMemoryMb } from './control.ts';
import { watchIntrinsics } from './intrinsics.ts';
import { type Bounds, type Evidence, judge, textOf } from './oracle.ts';
import type { Tripwires } from './tripwires.ts';

export interface Lane {
  readonly sandbox: Sandbox;
  readonly tripwires: Tripwires;
  /** What the sandbox was given as its violation log. */
  readonly records: readonly ViolationRecord[];
  /** The processes that the sandbox has started. */
  readonly pids: ReadonlySet<number>;
}

export interface Tried {
  readonly result: RunResult;
  readonly evidence: Evidence;
}

/** Hands an attempt to a sandbox, then a second program, and gathers what the oracle wants to see. */
export async function runSandboxed(attempt: Attempt, lane: Lane): Promise<Tried> {
  const { sandbox, tripwires, records } = lane;
  const targets = tripwires.targets();
  const connectionsBefore = tripwires.connections;
  const changedSince = watchIntrinsics();
  const events: unknown[] = [];
  const hear = (event: unknown): void => void events.push(event);
  for (const name of EVENTS) sandbox.events.on(name, hear);
  const watch = watchProcess(lane.pids);
  try {
    const result = await sandbox.run(attempt.code, { input: targets });
    const outputs = [
      textOf(result),
      result.toModelText(),
      textOf(events),
      JSON.stringify(records.filter(({ execution_id }) => execution_id === result.executionId)),
    ];
    const aftermath = await lookAfter(sandbox, attempt);
    const evidence: Evidence = {
      outputs,
      connections: tripwires.connections - connectionsBefore,
      files: tripwires.strangeFiles(targets.folder),
      changedIntrinsics: changedSince(),
      ...watch.seen(),
      hostEnd: null, // else nobody would be here to say so
      aftermath,
    };
    return { result, evidence };
  } finally {
    watch.stop();
    for (const name of EVENTS) sandbox.events.off(name, hear);
  }
}

/** What is to be said against a run: the harm it did, and an end other than the attempt expects. Nothing, when it held. */
export function complaintsAbout(
  { expects }: Attempt,
  { result, evidence }: Tried,
  bounds: Bounds,
): string[] {
  const { status, violation } = expects;
  const complaints = judge(evidence, bounds).map(({ harm, details }) => `${harm}: ${details}`);
  if (status && !status.includes(result.status))
    complaints.push(
      `it ended as ${result.status}, not as ${status.join(' or ')}: ${result.toModelText()}`,
    );
  if (violation && !result.violations.some(({ type }) => type === violation))
    complaints.push(`no ${violation} is on the record: ${JSON.stringify(result.violations)}`);
  return complaints;
}

const EVENTS = ['console', 'toolCallStarted', 'toolCallEnded', 'violated', 'runEnded'] as const;
const BEAT_MS = 10;

/** One look serves all the attempts that were over before it began: with a process for each run, a look is not cheap. */
const looks = new WeakMap<Sandbox, { last: Promise<unknown>; next?: Promise<string | null> }>();

function lookAfter(sandbox: Sandbox, { expects }: Attempt): Promise<string | null> {
  if (expects.afterwards) return look(sandbox, expects.afterwards);
  const line = looks.get(sandbox) ?? { last: Promise.resolve() };
  looks.set(sandbox, line);
  line.next ??= line.last.then(() => {
    delete line.next;
    const now = look(sandbox, AFTERWARDS);
    line.last = now;
    return now;
  });
  return line.next;
}

async function look(
  sandbox: Sandbox,
  { code, value }: { readonly code: string; readonly value: unknown },
): Promise<string | null> {
  const next = await sandbox.run(code);
  if (next.status !== 'ok') return next.toModelText();
  const said = JSON.stringify(next.value);
  return said === JSON.stringify(value) ? null : `the next run gave ${said}`;
}

/** Looks at the event loop of this process, and at the memory of the others. */
function watchProcess(pids: ReadonlySet<number>): {
  seen: () => Pick<Evidence, 'longestBlockMs' | 'peakMb'>;
  stop: () => void;
} {
  let last = performance.now();
  let longestBlockMs = 0;
  let peakMb = 0;
  const beat = (): void => {
    const now = performance.now();
    longestBlockMs = Math.max(longestBlockMs, now - last);
    last = now;
    for (const pid of pids) peakMb = Math.max(peakMb, ...familyOf(pid).map(peakMemoryMb));
  };
  const timer = setInterval(beat, BEAT_MS);
  return { seen: () => ({ longestBlockMs, peakMb }), stop: () => clearInterval(timer) };
}

/** A process and all below it. */
function familyOf(pid: number): number[] {
  try {
    const below = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1').split(' ').filter(Boolean),
    );
    return [pid, ...below.flatMap((each) => familyOf(Number(each)))];
  } catch {
    return []; // gone
  }
}
