import { createHash } from 'node:crypto';
import { countingId, ManualClock, type Random, seededRandom } from '@buddy/core';
import {
  createGuardian,
  definePlaybook,
  type GuardianEvents,
  type Ledger,
  MemoryStore,
  on,
  type Playbook,
  probeOf,
  type ResourceInput,
} from '@buddy/guardian';
import { FakeService } from '../fake-service.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const SERVICES = 31;
const LOOK_EVERY_MS = 5 * MINUTE;

/** What goes wrong in this world. Each says how a service behaves from now on, and when the world mends it by itself. */
const FAULTS = {
  /** It ends, says so, and comes back when it is started. */
  crash: (service) => service.crash(),
  /** It is bad and does not say so: only a look finds it. */
  'silent death': (service) => {
    service.isUp = false;
  },
  /** Starting does not help, until somebody else mends what is behind it. */
  'outage of minutes': (service, { clock, draw }) => {
    service.startsWell = false;
    service.crash();
    void (async () => {
      await clock.sleep((2 + 38 * draw()) * MINUTE);
      service.startsWell = true;
      service.isUp = true;
    })();
  },
  /** It ends again and again, some seconds after each start, for a while. */
  'crash loop': (service, { clock, draw }) => {
    let left = 2 + Math.floor(6 * draw());
    service.onStart = async () => {
      if (left-- <= 0) return;
      void clock.sleep(2_000 + 4_000 * draw()).then(() => service.crash());
    };
    service.crash();
  },
  /** It goes bad and well by itself. */
  flapping: (service, { clock }) => {
    void (async () => {
      for (let left = 6; left > 0; left -= 1) {
        service.crash();
        await clock.sleep(300);
        service.isUp = true;
        await clock.sleep(40_000);
      }
    })();
  },
  /** A start hangs until it is given up. */
  'hanging start': (service) => {
    let isFirst = true;
    service.onStart = (signal) => {
      if (!isFirst) return Promise.resolve();
      isFirst = false;
      return new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
      );
    };
    service.crash();
  },
} satisfies Record<
  string,
  (service: FakeService, world: { clock: ManualClock; draw: Random }) => void
>;

type FaultName = keyof typeof FAULTS;
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of a literal
const FAULT_NAMES = Object.keys(FAULTS) as FaultName[];

export interface SimulatedWeek {
  faults: number;
  /** Faults that no incident was opened or told again for, within a look and a bit. */
  unnoticed: readonly string[];
  ledger: Ledger;
  openAtTheEnd: number;
  /** Alerts that say that the guardian itself is broken. */
  internalAlerts: readonly string[];
  restored: number;
  restoredWithCause: number;
  /** Of everything that happened, in its order. */
  traceHash: string;
  events: number;
}

/**
 * The engine on a clock that jumps: 31 services in memory that depend on each other, a fault every hour for seven days. It
 * shows that no state is a trap and that a run is a function of its seed; it is no soak of anything real.
 */
export async function simulateWeek(seed: number, hours = 7 * 24): Promise<SimulatedWeek> {
  const clock = new ManualClock();
  const draw = seededRandom(seed);
  const services = Array.from({ length: SERVICES }, () => new FakeService());
  for (const [index, service] of services.entries()) {
    const parent = services[parentOf(index)];
    if (index > 0 && parent) service.needs = () => parent.isUp && parent.needs();
  }
  const store = new MemoryStore();
  const guardian = createGuardian(
    { probeIntervalMs: LOOK_EVERY_MS, autonomy: { 3: 'auto' } },
    {
      clock,
      store,
      random: draw.child('guardian'),
      newId: countingId('id'),
      lag: { begin: () => () => 0 },
      resources: services.map((adapter, index) => resource(adapter, index)),
      playbooks: [restart(2, 5), restart(3, 4)],
    },
  );
  const trace = createHash('sha256');
  const touched = new Map<string, number>();
  const internalAlerts: string[] = [];
  let events = 0;
  for (const name of EVENTS) {
    guardian.events.on(name, (event: object) => {
      events += 1;
      trace.update(`${name} ${JSON.stringify(event)}\n`);
    });
  }
  guardian.events.on('symptomReported', ({ resource: id, at }) => touched.set(id, at));
  guardian.events.on('alertRaised', ({ alert, message }) => {
    if (alert === 'internal' || alert === 'outcome_overdue') internalAlerts.push(message);
  });
  await guardian.start();
  const unnoticed: string[] = [];
  for (let hour = 0; hour < hours; hour += 1) {
    const index = Math.floor(draw() * SERVICES);
    const name = FAULT_NAMES[Math.floor(draw() * FAULT_NAMES.length)] ?? 'crash';
    const service = services[index];
    if (!service) throw new Error(`no service ${index}`);
    const at = clock.now();
    service.onStart = async () => undefined;
    FAULTS[name](service, { clock, draw: draw.child(`fault-${hour}`) });
    await clock.advance(HOUR);
    if ((touched.get(nameOf(index)) ?? -Infinity) < at) unnoticed.push(`${name} in hour ${hour}`);
  }
  for (const service of services) {
    service.onStart = async () => undefined;
    service.startsWell = true;
    service.isUp = true;
  }
  await clock.advance(3 * HOUR);
  const openAtTheEnd = guardian.openIncidents.length;
  await guardian.stop();
  const ledger = store.ledger();
  return {
    faults: hours,
    unnoticed,
    ledger,
    openAtTheEnd,
    internalAlerts,
    restored: ledger.outcomes.restored,
    restoredWithCause: ledger.outcomes.restored_with_cause,
    traceHash: trace.digest('hex'),
    events,
  };
}

const EVENTS = [
  'symptomReported',
  'outcomeDecided',
  'incidentOpened',
  'incidentParked',
  'incidentClosed',
  'runPlanned',
  'stepChanged',
  'runEnded',
  'alertRaised',
] as const satisfies readonly (keyof GuardianEvents)[];

function parentOf(index: number): number {
  return Math.floor((index - 1) / 2);
}

function nameOf(index: number): string {
  return `service-${index}`;
}

/** A tree: each depends on the one in the middle between it and the root; some stand in for each other. */
function resource(adapter: FakeService, index: number): ResourceInput {
  const parent = index === 0 ? [] : [nameOf(parentOf(index))];
  const group = index >= 27 ? { group: 'pool' } : {};
  return { id: nameOf(index), adapter, dependsOn: parent, ...group };
}

function restart(tier: 2 | 3, priority: number): Playbook {
  return definePlaybook({
    id: `restart_at_tier_${tier}`,
    name: 'Restart',
    description: 'Starts it again.',
    category: 'process',
    tier,
    priority,
    needs: { service: 'service' },
    triggers: [on('process.exited')],
    contraindicatedBy: [],
    diagnose: ({ resources, signal }) => resources.service.state(signal),
    steps: (step) => [
      step({
        id: 'start',
        description: 'Starts it.',
        tier,
        timeoutMs: 5_000,
        effects: ['service.start'],
        run: ({ resources, signal }) => resources.service.start(signal),
        undo: {
          description: 'Stops it.',
          effects: ['service.stop'],
          run: ({ resources, signal }) => resources.service.stop(signal),
        },
      }),
    ],
    verify: { checks: [probeOf('service')], intervalMs: 100, withinMs: 2_000, stableForMs: 5_000 },
    mttrTargetMs: 10_000,
  });
}
