import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Heal, ReportSection, TaskFailure } from '@buddy/agents';
import { createSupervisor } from '@buddy/bots';
import { BuddyError, seededRandom, systemClock, writeFileAtomic } from '@buddy/core';
import type { Governance } from '@buddy/governance';
import {
  builtinPlaybooks,
  createGuardian,
  createTaskHealer,
  type Credential,
  type Guardian,
  openSqliteStore,
  type SymptomInput,
} from '@buddy/guardian';
import { builtinFaults, openFaultKit, recoverFaults } from '@buddy/guardian/faults';
import { UsageError } from '../orchestrator/arguments.ts';
import type { Secrets } from '../world/tools.ts';
import {
  choosePlaces,
  type HealingFiles,
  healingFiles,
  type Places,
  registerBots,
  urlOf,
} from './bots.ts';
import { BreakThings } from './break-things.ts';
import { CallCounts } from './call-counts.ts';
import { createFaultInjector, newToken } from './fault-injector.ts';
import { faultPlan, PROVIDERS, RECORDER, type TokenProvider } from './fault-plan.ts';
import { type HealingCounts, HealingLedger } from './healing-ledger.ts';
import { portTaken } from './port-taken.ts';
import { rehearseAll } from './rehearsals.ts';
import { type HealedResources, healedResources } from './resources.ts';
import { openProviderToken, openSecretVersions, type SecretVersions } from './secret-versions.ts';
import { tokenRotated } from './token-rotated.ts';

export interface HealingOptions {
  seed: number;
  /** How many times faster than it does time passes for the providers; never for the guardian. */
  speed: number;
  /** Mean pause between two faults, in seconds. */
  faultEverySeconds: number;
  environment: Readonly<Record<string, string | undefined>>;
}

interface BeginOptions {
  /** Of the run. */
  stateFolder: string;
  governance: Pick<Governance, 'assertCovered' | 'govern'>;
  /** Ends the breaking of things, and the waiting for their healing. */
  signal: AbortSignal;
}

/** Providers and a worker as bots, a guardian over them, and somebody who breaks them. */
export interface Healing {
  /** What the real clients are configured with. */
  environment: Readonly<Record<string, string>>;
  /** For those clients, from `begin` on. */
  secrets: Secrets;
  /**
   * Starts the bots, the guardian over them, rehearses, and begins to break things; returns early when it is called off.
   * @throws {HealingError} When a bot does not come up.
   */
  begin(options: BeginOptions): Promise<void>;
  /** For tasks that failed for good: what they need is looked at, and mended. */
  heal: Heal;
  /** Waits until all kinds of faults were there, and what was broken is healed or had its time. */
  sections(): Promise<readonly ReportSection[]>;
  /** Undefined when it was called off before anything could break. */
  counts(): HealingCounts | undefined;
  /** Ends everything; may be called at any time. */
  close(): Promise<void>;
}

class HealingError extends BuddyError {
  readonly code = 'EXAMPLES_HEALING';
}

const LOCATION_ID = 'buddyMockLocation001'; // that of `buddy-mocks serve`
const UP_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 50;
/** What is still open when all is over may take so long to be closed. */
const CLOSED_WITHIN_MS = 30_000;

/**
 * For processes on this machine that somebody breaks every few seconds: looked at each second, called well when half a second
 * more was good, and with limits that would hold back a guardian at a real service, where a fifth restart in ten minutes is one too many.
 */
const GUARDIAN_OPTIONS = {
  probeIntervalMs: 1_000,
  confirm: { samples: 2, intervalMs: 250 },
  longestStableMs: 500,
  retry: { firstMs: 5_000, longestMs: 30_000 },
  limits: {
    restarts: { most: 10_000 },
    budget: { most: 100_000 },
    flapping: { most: 10_000 },
    // A start that meets a port in use says nothing against starting.
    futility: { failures: 20 },
  },
} as const;

/** @throws {UsageError} When the environment forbids faults; otherwise to ask for them is enough. */
export async function planHealing(options: HealingOptions): Promise<Healing> {
  const wish = options.environment['BUDDY_FAULTS'] ?? '';
  if (wish !== '' && wish !== '1') {
    throw new UsageError(`--faults breaks things for real, which BUDDY_FAULTS=${wish} forbids`);
  }
  return new HealedProviders(options, await choosePlaces());
}

class HealedProviders implements Healing {
  readonly environment: Healing['environment'];
  readonly secrets: Secrets;
  readonly #options: HealingOptions;
  readonly #places: Places;
  readonly #opened = new AsyncDisposableStack();
  #tokens: Readonly<Record<TokenProvider, Credential>> | undefined;
  #files: HealingFiles | undefined;
  #guardian: Guardian | undefined;
  #breaking: BreakThings | undefined;
  #ledger: HealingLedger | undefined;
  #signal: AbortSignal | undefined;

  constructor(options: HealingOptions, places: Places) {
    this.#options = options;
    this.#places = places;
    this.environment = {
      DRY_RUN: 'false',
      MPLOYER_BASE_URL: urlOf(places, 'mployer'),
      GOHIGHLEVEL_BASE_URL: urlOf(places, 'gohighlevel'),
      GOHIGHLEVEL_LOCATION_ID: LOCATION_ID,
      GOHIGHLEVEL_TOKEN: 'asked-for-each-call',
      MSGRAPH_BASE_URL: `${urlOf(places, 'msgraph')}/v1.0`,
      MSGRAPH_ACCESS_TOKEN: 'asked-for-each-call',
    };
    const secretOf = (provider: TokenProvider) => async () => {
      if (!this.#tokens) throw new HealingError('The providers were not started');
      return this.#tokens[provider].secret();
    };
    this.secrets = { gohighlevel: secretOf('gohighlevel'), msgraph: secretOf('msgraph') };
  }

  async begin({ stateFolder, governance, signal }: BeginOptions): Promise<void> {
    const { seed, faultEverySeconds, environment } = this.#options;
    this.#signal = signal;
    const files = (this.#files = healingFiles(stateFolder));
    await mkdir(files.services, { recursive: true });
    // Of a run that was killed and goes on.
    await recoverFaults({ folder: files.faults }, { faults: [...builtinFaults, ...OWN_FAULTS] });
    const secrets = {
      gohighlevel: await handOutToken('gohighlevel', files),
      msgraph: await handOutToken('msgraph', files),
    };
    const registry = await registerBots(files, this.#places, this.#options);
    const bots = (await registry.all()).map(({ id }) => id);
    const supervisor = createSupervisor({
      registry,
      logs: { folder: files.logs },
      handedOver: bots, // only the guardian starts them again
    });
    this.#opened.defer(() => supervisor.close());
    await supervisor.startAll();
    const tokens = (this.#tokens = await this.#openTokens(files, secrets));
    const resources = healedResources(files, this.#places, supervisor, tokens);
    if (!(await isUp(resources, signal))) return;
    const guardian = (this.#guardian = createGuardian(GUARDIAN_OPTIONS, {
      resources: resources.inputs,
      playbooks: builtinPlaybooks,
      store: openSqliteStore(files.store),
      govern: (tool) => governance.govern(tool),
    }));
    governance.assertCovered([...guardian.tools]);
    this.#opened.defer(() => guardian.stop());
    const kit = openFaultKit(
      { folder: files.faults },
      { environment: { ...environment, BUDDY_FAULTS: '1' } }, // who said --faults has asked for them
    );
    this.#opened.defer(() => kit.close());
    const parts = { kit, files, places: this.#places, resources, tokens, secrets };
    const injector = createFaultInjector(parts);
    const plan = faultPlan(faultEverySeconds * 1_000, seededRandom(seed).child('faults'));
    const breaking = new BreakThings({ guardian, injector, plan, clock: systemClock });
    this.#breaking = breaking;
    this.#opened.defer(() => breaking.stop());
    const ledger = new HealingLedger({ guardian, breaking, began: systemClock.now() });
    this.#ledger = ledger;
    await guardian.start();
    signal.addEventListener('abort', () => void breaking.stop(), { once: true });
    const rehearsing = rehearseAll(guardian, kit, injector);
    await Promise.race([rehearsing, abortOf(signal)]);
    if (signal.aborted) return;
    ledger.rehearsals = await rehearsing;
    breaking.begin();
  }

  async sections(): Promise<readonly ReportSection[]> {
    await this.#breaking?.finish();
    await this.#untilClosed();
    return [...(this.#ledger?.sections() ?? []), await this.#callsSection()];
  }

  counts(): HealingCounts | undefined {
    return this.#ledger?.counts();
  }

  readonly heal: Heal = async (task, options) => {
    if (!this.#guardian) return { isHealed: false };
    return createTaskHealer<TaskFailure>(this.#guardian, symptomOf)(task, options);
  };

  close(): Promise<void> {
    return this.#opened.disposeAsync();
  }

  async #openTokens(
    files: HealingFiles,
    secrets: Readonly<Record<TokenProvider, SecretVersions>>,
  ): Promise<Record<TokenProvider, Credential>> {
    const open = (provider: TokenProvider, path: string, headers: Record<string, string>) =>
      openProviderToken({
        provider,
        versions: secrets[provider],
        url: `${urlOf(this.#places, provider)}${path}`,
        headers,
        refusalsFile: files.refusals(provider),
      });
    return {
      gohighlevel: await open('gohighlevel', `/locations/${LOCATION_ID}`, {
        version: '2021-07-28',
      }),
      msgraph: await open('msgraph', '/v1.0/me', {}),
    };
  }

  async #untilClosed(): Promise<void> {
    const until = systemClock.monotonic() + CLOSED_WITHIN_MS;
    while (
      (this.#guardian?.openIncidents.length ?? 0) > 0 &&
      this.#signal?.aborted !== true &&
      systemClock.monotonic() < until
    ) {
      await systemClock.sleep(LOOK_EVERY_MS);
    }
  }

  async #callsSection(): Promise<ReportSection> {
    const text = await readFile(this.#files?.callCounts ?? '', 'utf8').catch(() => '{}');
    const counts = CallCounts.parse(JSON.parse(text));
    return {
      title: 'Over the wire',
      nextStep: null,
      parts: [
        {
          kind: 'table',
          columns: [{ name: 'provider' }, { number: 'calls' }, { number: 'lives' }],
          rows: PROVIDERS.map((name) => {
            const { calls = 0, lives = 0 } = counts[name] ?? {};
            return [name, String(calls), String(lives)];
          }),
          file: null,
        },
        {
          kind: 'text',
          text:
            'As the worker counted them, the guardian’s own looks at tokens among them. What came in the last moments before a ' +
            'provider was killed is not in it, and a provider that is started again has forgotten what it was told.',
        },
      ],
    };
  }
}

/** What a failure says of a provider; most failures are the tasks' own, and say nothing. */
function symptomOf({ action, failure }: TaskFailure): SymptomInput | undefined {
  const provider = PROVIDERS.find((name) => action.startsWith(`${name}.`));
  if (!provider) return undefined;
  const note = failure.message;
  switch (failure.code) {
    case 'MOCKS_NETWORK_FAILED':
      return { resource: `${provider}-port`, signal: 'connection.reset', note };
    case 'MOCKS_TIMEOUT':
      return { resource: `${provider}-port`, signal: 'port.silent', note };
    default:
      return undefined;
  }
}

const OWN_FAULTS = [portTaken, tokenRotated];

/** A run that goes on knows its tokens already. */
async function handOutToken(provider: TokenProvider, files: HealingFiles): Promise<SecretVersions> {
  const versions = openSecretVersions(files.secrets(provider));
  const token = (await versions.newest()) ?? newToken(provider);
  if ((await versions.newest()) === undefined) await versions.add(token);
  const path = files.admitted(provider);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFileAtomic(path, JSON.stringify([token]), { mode: 0o600 });
  return versions;
}

/**
 * Waits until every bot answers; false when it is called off.
 * @throws {HealingError} When one does not in its time.
 */
async function isUp({ ports, configs }: HealedResources, signal: AbortSignal): Promise<boolean> {
  const until = systemClock.monotonic() + UP_WITHIN_MS;
  const never = new AbortController().signal;
  for (const bot of [...PROVIDERS, RECORDER] as const) {
    for (;;) {
      if (signal.aborted) return false;
      const reading = await ports[bot].exchange(never);
      if (reading.status === 'HEALTHY') break;
      if (systemClock.monotonic() > until) {
        throw new HealingError(
          `${bot} did not come up within ${UP_WITHIN_MS / 1_000} s: ${reading.note}; its log is in state/healing/logs`,
        );
      }
      await systemClock.sleep(LOOK_EVERY_MS);
    }
  }
  // From now on there is a copy of each config from good times.
  for (const provider of PROVIDERS) await configs[provider].probe(never);
  return true;
}

function abortOf(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
