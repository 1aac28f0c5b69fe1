import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { median, quantile, seededRandom } from '../../packages/core/src/index.ts';
import { FaultWitnessError } from '../../packages/guardian/src/faults/index.ts';
import {
  builtinPlaybooks,
  createGuardian,
  type Guardian,
  openSqliteStore,
} from '../../packages/guardian/src/index.ts';
import type { PlaybookWorld } from '../../packages/guardian/test/playbook-contract.ts';
import { worlds } from '../../packages/guardian/test/worlds/index.ts';
import { openSlowWorld } from '../../packages/guardian/test/worlds/slow-boot.ts';
import type { Figure } from '../measure/figure.ts';

const ROUNDS = 15;
const PROBE_EVERY_MS = 250;
const LONGEST_MS = 60_000;
const BOOT_BUDGET_MS = 3_000;
/** Of what the mode may take: the promise. */
const SHARE = 0.2;

interface Mode {
  name: string;
  /** What a healing may take, in ms. */
  withinMs: number;
  open: () => Promise<PlaybookWorld>;
  /** From the fault until it counts, in ms. */
  allowanceMs?: number;
}

const MODES: readonly Mode[] = [
  { name: 'database', withinMs: 60_000, open: worldOf('database_unavailable') },
  { name: 'port in use', withinMs: 10_000, open: worldOf('port_in_use') },
  {
    name: 'slow boot, after its budget',
    withinMs: 5_000,
    open: () => openSlowWorld({ service: { bootBudgetMs: BOOT_BUDGET_MS } }),
    allowanceMs: BOOT_BUDGET_MS,
  },
  { name: 'out of memory', withinMs: 30_000, open: worldOf('out_of_memory') },
  { name: 'disk full', withinMs: 45_000, open: worldOf('disk_full') },
  { name: 'network unreachable', withinMs: 5_000, open: worldOf('network_unreachable') },
  { name: 'API timeout', withinMs: 15_000, open: worldOf('api_timeout') },
  { name: 'missing config', withinMs: 10_000, open: worldOf('config_missing') },
  { name: 'invalid credentials', withinMs: 5_000, open: worldOf('credentials_invalid') },
  { name: 'model server down', withinMs: 20_000, open: worldOf('model_server_down') },
];

/** From a fault until the first good sample of the looks that proved it gone; noticed by the guardian itself. */
export async function measureGuardianModes(): Promise<Figure[]> {
  process.env['BUDDY_FAULTS'] = '1';
  const figures: Figure[] = [];
  for (const mode of MODES) {
    const took = await healed(mode);
    process.stderr.write(`  ${mode.name}: ${took.map(Math.round).join(' ')} ms\n`);
    const range = [Math.min(...took), Math.max(...took)] as const;
    const name = `${mode.name}: injected to restored`;
    figures.push(
      { name: `${name}, p50`, unit: 'ms', measured: median(took), range },
      {
        name: `${name}, p95`,
        unit: 'ms',
        measured: quantile(took, 0.95),
        range,
        target: {
          is: 'at most',
          value: mode.withinMs * SHARE,
          from: `20 % of ${mode.withinMs / 1_000} s`,
        },
      },
    );
  }
  return figures;
}

function worldOf(playbook: string): () => Promise<PlaybookWorld> {
  const open = worlds[playbook];
  if (!open) throw new Error(`there is no world of ${playbook}`);
  return open;
}

async function healed({ name, open, allowanceMs = 0 }: Mode): Promise<number[]> {
  const folder = await mkdtemp(join(tmpdir(), 'buddy-bench-modes-'));
  const world = await open();
  const guardian = watch(world, folder);
  const draw = seededRandom(7);
  const took: number[] = [];
  await guardian.start();
  try {
    while (took.length < ROUNDS) {
      await wait(draw() * PROBE_EVERY_MS); // a fault comes at any time between two looks
      const restoredAt = lastRestored(guardian);
      const brokenAt = await breakIt(guardian, world, draw() * PROBE_EVERY_MS);
      await isMended(guardian, world, name);
      took.push(restoredAt() - brokenAt - allowanceMs);
      await world.fault.revert();
      await world.handBack?.();
    }
  } finally {
    await guardian.stop();
    await world.close();
    await rm(folder, { recursive: true, force: true });
  }
  return took;
}

function watch({ resources }: PlaybookWorld, folder: string): Guardian {
  const unlimited = 1_000_000;
  return createGuardian(
    {
      autonomy: { 3: 'auto' },
      probeIntervalMs: PROBE_EVERY_MS,
      confirm: { samples: 2, intervalMs: PROBE_EVERY_MS },
      longestStableMs: 200,
      limits: {
        restarts: { most: unlimited },
        budget: { most: unlimited },
        futility: { failures: unlimited },
        flapping: { most: unlimited },
      },
    },
    { resources, playbooks: builtinPlaybooks, store: openSqliteStore(join(folder, 'guardian.db')) },
  );
}

/** When the last incident from now on was restored, in ms since the epoch. */
function lastRestored(guardian: Guardian): () => number {
  let last = Number.NaN;
  guardian.events.on('incidentClosed', ({ incident: { restored } }) => {
    if (restored !== null) last = Number.isNaN(last) ? restored : Math.max(last, restored);
  });
  return () => last;
}

/**
 * Puts the fault there; the answer is since when. One of several steps is put there in a maintenance window, which ends before
 * the next look would have come, for else the first step would be mended before the last.
 */
async function breakIt(
  guardian: Guardian,
  { fault, isBrokenInSteps, resources, use }: PlaybookWorld,
  nextLookMs: number,
): Promise<number> {
  const { signal } = new AbortController();
  if (!isBrokenInSteps) {
    const brokenAt = Date.now();
    await fault.apply(signal).catch((error: unknown) => {
      if (!(error instanceof FaultWitnessError)) throw error; // mended before it was looked for
    });
    await use?.();
    return brokenAt;
  }
  const { id } = await guardian.beginMaintenance({
    resources: resources.map((resource) => resource.id),
    reason: 'a fault is put there',
    untilMs: Date.now() + LONGEST_MS,
  });
  await fault.apply(signal);
  const brokenAt = Date.now();
  await wait(nextLookMs);
  await guardian.endMaintenance(id);
  return brokenAt;
}

async function isMended(guardian: Guardian, { fault }: PlaybookWorld, name: string): Promise<void> {
  const { signal } = new AbortController();
  const deadline = performance.now() + LONGEST_MS;
  while (guardian.openIncidents.length > 0 || (await fault.isPresent(signal))) {
    if (performance.now() > deadline) {
      const open = guardian.openIncidents.map(
        ({ fingerprint, reason }) => `${fingerprint}: ${reason}`,
      );
      throw new Error(`${name} was not mended in ${LONGEST_MS} ms: ${open.join('; ')}`);
    }
    await wait(10);
  }
}
