import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import type { Random } from '@buddy/core';
import {
  builtinPlaybooks,
  createGuardian,
  type Guardian,
  type Ledger,
  openSqliteStore,
  type ResourceInput,
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
  /** How the incident ended; `still there`: nobody mended it in time, and it was taken back by hand. */
  outcome: string;
  /** From the fault until the witness saw it gone; null when it did not go. */
  healedMs: number | null;
  /** Whether the guardian noticed by itself; else it was told. */
  isNoticed: boolean;
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
    let deck: Place[] = [];
    while (!signal.aborted) {
      if (deck.length === 0) deck = shuffled(places, draw);
      const place = deck.pop();
      if (!place) break;
      const startedAt = performance.now();
      await onTurn(await breakOnce(guardian, place, options));
      const left = everyMs - (performance.now() - startedAt);
      await wait(Math.max(0, left), undefined, { signal }).catch(() => undefined); // the end of the soak
    }
    const settledBy = performance.now() + options.healWithinMs;
    while (guardian.openIncidents.length > 0 && performance.now() < settledBy) await wait(100);
    return {
      ledger: store.ledger(),
      openAtTheEnd: guardian.openIncidents.map(
        ({ fingerprint, reason }) => `${fingerprint}: ${reason}`,
      ),
    };
  } finally {
    await guardian.stop();
    for (const { world } of places) await world.close();
  }
}

interface Place {
  playbook: string;
  world: PlaybookWorld;
  subject: string;
  resources: readonly ResourceInput[];
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
    places.push({ playbook, world, subject: named(world.subject), resources });
  }
  return places;
}

async function breakOnce(
  guardian: Guardian,
  place: Place,
  { noticeWithinMs, healWithinMs }: SoakOptions,
): Promise<Turn> {
  const { world, playbook, resources } = place;
  const { fault } = world;
  const { signal } = new AbortController();
  const ids = new Set(resources.map(({ id }) => id));
  let isNoticed = false;
  let isTold = false;
  const outcomes: string[] = [];
  const onReport = ({ resource }: { resource: string }) => {
    if (ids.has(resource) && !isTold) isNoticed = true;
  };
  const onOutcome = ({ resource, outcome }: { resource: string; outcome: string }) => {
    if (ids.has(resource) && outcome !== 'deduplicated') outcomes.push(outcome);
  };
  guardian.events.on('symptomReported', onReport).on('outcomeDecided', onOutcome);
  const at = Date.now();
  const startedAt = performance.now();
  try {
    await fault.apply(signal);
    if (!(await fault.isPresent(signal))) throw new Error(`${fault.name} does not show`);
    let healedMs: number | null = null;
    while (performance.now() - startedAt < healWithinMs) {
      if (!(await fault.isPresent(signal))) {
        healedMs = performance.now() - startedAt;
        break;
      }
      if (!isNoticed && !isTold && performance.now() - startedAt > noticeWithinMs) {
        isTold = true;
        await guardian.report({
          resource: place.subject,
          certainty: 'decisive',
          ...(await world.symptom()),
        });
      }
      await wait(10);
    }
    // Gone is not yet verified: the incident is.
    const verifiedBy = performance.now() + healWithinMs;
    const isOpen = () => guardian.openIncidents.some(({ resource }) => ids.has(resource));
    while (healedMs !== null && isOpen() && performance.now() < verifiedBy) await wait(10);
    const outcome =
      healedMs === null || isOpen() ? 'still there' : (outcomes[0] ?? 'unaccounted for');
    return { at, playbook, fault: fault.name, outcome, healedMs, isNoticed, ...(await own()) };
  } finally {
    guardian.events.off('symptomReported', onReport).off('outcomeDecided', onOutcome);
    await fault.revert(signal);
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
