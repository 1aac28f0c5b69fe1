import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { describeFailure, type Random } from '@buddy/core';
import {
  builtinPlaybooks,
  createGuardian,
  type Guardian,
  type Incident,
  type Ledger,
  openSqliteStore,
  type ResourceInput,
  type SymptomOutcome,
} from '@buddy/guardian';
import type { PlaybookWorld } from '../playbook-contract.ts';

/** A place and what breaks in it, by the id of the playbook that should mend it. */
export type Worlds = Readonly<Record<string, () => Promise<PlaybookWorld>>>;

/** One fault: injected for real, noticed, mended, looked at from outside. */
export interface Turn {
  /** Ms since the epoch. */
  at: number;
  playbook: string;
  fault: string;
  /** `restored`, or what went wrong: `still there` was taken back by hand. */
  outcome: string;
  /** Of all its symptoms that were of their own, the first first. */
  outcomes: readonly string[];
  /** From the fault until the witness saw it gone; null when it did not go. */
  healedMs: number | null;
  /** Whether the guardian noticed by itself; else it was told. */
  isNoticed: boolean;
  /** How long the soak has run by then, in ms, pauses of its own left out. */
  ranMs: number;
  /** After a collection, all in MB, and open descriptors. */
  heapMb: number;
  rssMb: number;
  descriptors: number;
}

export interface SoakOptions {
  /** Holds the store of incidents, which a soak that goes on finds again. */
  folder: string;
  /** A fault is injected so often, in ms; later when the one before takes longer. */
  everyMs: number;
  /** How long it has run before, in ms. */
  ranMs: number;
  /** How long a fault may stay unnoticed before the guardian is told, in ms. */
  noticeWithinMs: number;
  healWithinMs: number;
  draw: Random;
  onTurn: (turn: Turn) => Promise<void>;
  signal: AbortSignal;
}

export interface SoakEnd {
  ledger: Ledger;
  openAtTheEnd: readonly string[];
}

/**
 * Breaks one thing after another, for real, under one guardian that watches all of them, until `signal` is aborted. Limits on restarts are lifted:
 * they would forbid what a soak is about.
 */
export async function soak(worlds: Worlds, options: SoakOptions): Promise<SoakEnd> {
  const { signal, draw, everyMs, onTurn, folder } = options;
  const places = await openAll(worlds);
  const unlimited = 1_000_000;
  const store = openSqliteStore(join(folder, 'guardian.db'));
  const guardian = createGuardian(
    {
      autonomy: { 3: 'auto' },
      probeIntervalMs: 1_000,
      longestStableMs: 200,
      retry: { firstMs: 2_000, longestMs: 10_000 },
      limits: {
        restarts: { most: unlimited },
        budget: { most: unlimited },
        futility: { failures: unlimited },
        flapping: { most: unlimited },
      },
    },
    { store, playbooks: builtinPlaybooks, resources: places.flatMap(({ resources }) => resources) },
  );
  try {
    await guardian.start();
    const beganAt = performance.now();
    let deck: Place[] = [];
    while (!signal.aborted) {
      if (deck.length === 0) deck = shuffled(places, draw);
      const place = deck.pop();
      if (!place) break;
      const startedAt = performance.now();
      const turn = await breakOnce(guardian, place, options);
      await onTurn({ ...turn, ranMs: options.ranMs + performance.now() - beganAt });
      const left = everyMs - (performance.now() - startedAt);
      await wait(Math.max(0, left), undefined, { signal }).catch(() => undefined); // the end of the soak
    }
    await isTrue(() => guardian.openIncidents.length === 0, options.healWithinMs);
    return {
      ledger: store.ledger(),
      openAtTheEnd: guardian.openIncidents.map(
        ({ fingerprint, reason }) => `${fingerprint}: ${reason}`,
      ),
    };
  } finally {
    await inTime('the guardian', guardian.stop(), AbortSignal.timeout(CLOSE_WITHIN_MS));
    for (const { world, playbook } of places) {
      await inTime(`the world of ${playbook}`, world.close(), AbortSignal.timeout(CLOSE_WITHIN_MS));
    }
  }
}

const CLOSE_WITHIN_MS = 30_000;

/** So that what does not come to an end has a name. */
async function inTime<T>(what: string, work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(new Error(`${what} does not come to an end`));
  signal.addEventListener('abort', onAbort);
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

interface Place {
  playbook: string;
  world: PlaybookWorld;
  subject: string;
  resources: readonly ResourceInput[];
  /** Of its resources. */
  ids: ReadonlySet<string>;
}

interface Reported {
  resource: string;
  seq: number;
}

/** Ids are made unique by the playbook's: each world has its own `api`. */
async function openAll(worlds: Worlds): Promise<Place[]> {
  const places: Place[] = [];
  for (const [playbook, open] of Object.entries(worlds)) {
    const world = await open();
    const named = (id: string) => `${playbook}.${id}`;
    const resources = world.resources.map((resource): ResourceInput => ({
      ...resource,
      id: named(resource.id),
      ...(resource.dependsOn && { dependsOn: resource.dependsOn.map(named) }),
      ...(resource.links && {
        links: Object.fromEntries(
          Object.entries(resource.links).map(([role, id]) => [role, named(id)]),
        ),
      }),
      ...(resource.group !== undefined && { group: named(resource.group) }),
    }));
    const ids = new Set(resources.map(({ id }) => id));
    places.push({ playbook, world, subject: named(world.subject), resources, ids });
  }
  return places;
}

async function breakOnce(
  guardian: Guardian,
  place: Place,
  { noticeWithinMs, healWithinMs }: SoakOptions,
): Promise<Omit<Turn, 'ranMs'>> {
  const { world, playbook, subject, ids } = place;
  const { fault } = world;
  const { signal } = new AbortController();
  const outcomes: string[] = [];
  let isNoticed = false;
  let isTold = false;
  const undecided = new Set<number>();
  const onReport = ({ resource, seq }: Reported) => {
    if (!ids.has(resource)) return;
    undecided.add(seq);
    if (!isTold) isNoticed = true;
  };
  const onOutcome = ({ resource, seq, outcome }: Reported & { outcome: SymptomOutcome }) => {
    undecided.delete(seq);
    if (ids.has(resource) && !BESIDES.has(outcome)) outcomes.push(outcome);
  };
  const isOpen = () =>
    guardian.openIncidents.some(
      // What waits for a person waits for `handBack`.
      ({ resource, status }) => ids.has(resource) && !(world.handBack && status === 'parked'),
    );
  await isTrue(() => !isOpen(), healWithinMs); // a busy machine may have shown signs of its own
  const at = Date.now();
  let restoredAt = at;
  const onClosed = ({ incident: { resource, restored } }: { incident: Incident }) => {
    if (ids.has(resource) && restored !== null) restoredAt = restored;
  };
  const startedAt = performance.now();
  const within = (ms: number) => performance.now() - startedAt < ms;
  let healedMs: number | null = null;
  let failure: string | undefined;
  guardian.events.on('symptomReported', onReport).on('outcomeDecided', onOutcome);
  guardian.events.on('incidentClosed', onClosed);
  try {
    const injecting = inject(guardian, place, () => isNoticed);
    const injected = await inTime('the injection', injecting, AbortSignal.timeout(healWithinMs));
    await world.use?.();
    while (healedMs === null && within(healWithinMs)) {
      const looking = inTime(
        'the witness',
        fault.isPresent(signal),
        AbortSignal.timeout(healWithinMs),
      );
      if (!(await looking)) healedMs = performance.now() - startedAt;
      else if (!isNoticed && !isTold && !within(noticeWithinMs)) {
        isTold = true;
        const symptom = await world.symptom();
        await guardian.report({ resource: subject, certainty: 'decisive', ...symptom });
      }
      await wait(10);
    }
    // Gone is not yet verified; the incident says when it is.
    const isGone = healedMs !== null;
    const isOver = () => !isOpen() && undecided.size === 0 && outcomes.length > 0;
    if (isGone) await isTrue(isOver, isNoticed || isTold ? healWithinMs : noticeWithinMs);
    if (injected === 'mended before') healedMs = Math.max(0, restoredAt - at); // not when its witness gave up
    if (healedMs === null) failure = 'still there';
    else if (isOpen()) failure = 'gone, and its incident is open';
    else if (!outcomes.some((outcome) => outcome.startsWith('restored'))) failure = 'not by us';
  } catch (error) {
    failure = `not injected: ${describeFailure(error).message}`;
  } finally {
    guardian.events.off('symptomReported', onReport).off('outcomeDecided', onOutcome);
    guardian.events.off('incidentClosed', onClosed);
  }
  const outcome = failure ?? 'restored';
  try {
    const limit = AbortSignal.timeout(healWithinMs);
    await inTime('its revert', fault.revert(), limit);
    await inTime('handing back', Promise.resolve(world.handBack?.()), limit);
  } catch (error) {
    process.stderr.write(`${fault.name} was not taken back: ${describeFailure(error).message}\n`);
  }
  return {
    at,
    playbook,
    fault: fault.name,
    outcome,
    outcomes,
    healedMs,
    isNoticed,
    ...(await own()),
  };
}

async function isTrue(condition: () => boolean, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (!condition() && performance.now() < deadline) await wait(10);
  return condition();
}

/** Outcomes that say nothing of how it ended. */
const BESIDES: ReadonlySet<SymptomOutcome> = new Set(['deduplicated', 'suppressed_maintenance']);

/** Puts the fault there. It is no failure when it was mended before its witness had looked. */
async function inject(
  guardian: Guardian,
  place: Place,
  isNoticed: () => boolean,
): Promise<'seen' | 'mended before'> {
  const { world, ids } = place;
  const { fault, isBrokenInSteps } = world;
  const { signal } = new AbortController();
  if (isBrokenInSteps) {
    const { id } = await guardian.beginMaintenance({
      resources: [...ids],
      reason: 'a fault is put there',
      untilMs: Date.now() + 120_000,
    });
    try {
      await fault.apply(signal);
      if (!(await fault.isPresent(signal))) throw new Error(`${fault.name} does not show`);
    } finally {
      await guardian.endMaintenance(id);
    }
    return 'seen';
  }
  try {
    await fault.apply(signal);
    return 'seen';
  } catch (error) {
    // Whatever it stumbled over: the guardian had seen it, and replaced what was being broken.
    if (!isNoticed()) throw error;
    return 'mended before';
  }
}

/** What this process holds, after a collection. */
async function own(): Promise<Pick<Turn, 'heapMb' | 'rssMb' | 'descriptors'>> {
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  const descriptors = (await readdir('/proc/self/fd')).length;
  return { heapMb: heapUsed / 2 ** 20, rssMb: rss / 2 ** 20, descriptors };
}

function shuffled<T>(items: readonly T[], draw: Random): T[] {
  const deck = [...items];
  for (let last = deck.length - 1; last > 0; last -= 1) {
    const other = Math.floor(draw() * (last + 1));
    const [a, b] = [deck[last], deck[other]];
    if (a !== undefined && b !== undefined) [deck[last], deck[other]] = [b, a];
  }
  return deck;
}
