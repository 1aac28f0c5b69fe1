import { parseOrThrow } from '@buddy/core';
import { RehearsalError } from '../errors.ts';
import { Symptom, type SymptomInput } from '../incident/symptom.ts';
import type { Playbook } from '../playbook/define-playbook.ts';
import type { Resource } from '../resource/registry.ts';
import type { Certificate } from '../store/store.ts';
import type { Autonomy } from './autonomy.ts';
import type { IncidentBook } from './incident-book.ts';
import type { Intake } from './intake.ts';
import type { Parts } from './parts.ts';
import type { Prober } from './prober.ts';

/** A fault that a test can put there and take away, and that says itself whether it is there. */
export interface RehearsedFault {
  readonly name: string;
  /** Makes it so. */
  apply(signal: AbortSignal): Promise<void>;
  /** Whether it is there now: looked at from outside, not remembered. */
  isPresent(signal: AbortSignal): Promise<boolean>;
  /** Takes it away, healed or not; may be called when it is gone. */
  revert(): Promise<void>;
}

export interface RehearsalRequest {
  resource: string;
  fault: RehearsedFault;
  /** What the fault shows. It is reported when it is there, as if somebody had noticed; who noticed before is no harm. */
  symptom: Omit<SymptomInput, 'resource'>;
}

interface RehearsalParts {
  parts: Parts;
  book: IncidentBook;
  prober: Prober;
  intake: Intake;
  autonomy: Autonomy;
  signal: AbortSignal;
}

/** Injects a playbook's fault, lets that playbook alone heal it, and certifies that it did. */
export class Rehearsals {
  readonly #r: RehearsalParts;
  /** Resources on which one is under way, or about to be. */
  readonly #busy = new Set<string>();

  constructor(parts: RehearsalParts) {
    this.#r = parts;
  }

  /** See `Guardian.rehearse`. */
  async rehearse(
    playbook: Playbook,
    resource: Resource,
    { fault, symptom }: RehearsalRequest,
  ): Promise<Certificate> {
    const { parts, book, intake, autonomy } = this.#r;
    const fail = (problem: string): never => {
      throw new RehearsalError(`Rehearsal of ${playbook.id} with ${fault.name}: ${problem}`);
    };
    if (this.#busy.has(resource.id)) fail('another rehearsal is under way on the resource.');
    this.#busy.add(resource.id);
    try {
      await this.#expectPeace(resource, fault, fail);
      intake.rehearsals.set(resource.id, playbook.id);
      try {
        await this.#injectAndHeal(resource, fault, symptom, fail);
      } finally {
        intake.rehearsals.delete(resource.id);
        // What is left open is for all playbooks from now on, and for none without its certificate.
        for (const live of book.on(resource.id)) await book.update(live, { rehearses: null });
        await fault.revert();
      }
    } finally {
      this.#busy.delete(resource.id);
    }
    const certificate: Certificate = {
      playbook: playbook.id,
      codeHash: playbook.codeHash,
      resource: resource.id,
      fault: fault.name,
      at: parts.clock.now(),
    };
    await parts.keep([{ kind: 'certificate', certificate }]);
    autonomy.add(certificate);
    parts.emit('rehearsed', { at: certificate.at, playbook: playbook.id, certificate });
    return certificate;
  }

  async #expectPeace(
    resource: Resource,
    fault: RehearsedFault,
    fail: (problem: string) => never,
  ): Promise<void> {
    const { book, prober, signal } = this.#r;
    if (book.on(resource.id).length > 0) fail('the resource has an open incident.');
    const { status } = await prober.probe(resource);
    if (status !== 'HEALTHY') fail('the resource is not well.');
    if (await fault.isPresent(signal)) fail('the fault is there before it was injected.');
  }

  async #injectAndHeal(
    resource: Resource,
    fault: RehearsedFault,
    symptom: RehearsalRequest['symptom'],
    fail: (problem: string) => never,
  ): Promise<void> {
    const { intake, book, signal } = this.#r;
    const told = { ...symptom, certainty: 'decisive', resource: resource.id };
    const parsed = parseOrThrow(Symptom, told, 'symptom');
    await fault.apply(signal);
    // Whoever watches the resource may have noticed, and even healed it, by now.
    const noticed = book.ofFingerprint(parsed);
    const isHealedAlready = !noticed && !(await fault.isPresent(signal));
    if (isHealedAlready) fail('the fault does not show after it was injected.');
    if (noticed?.isDecided === true) fail(`it was given up: ${noticed.incident.reason}.`);
    const { outcome } = noticed
      ? { outcome: book.outcomeOf(noticed.incident.openedBy) }
      : await intake.take(parsed);
    const became = await outcome;
    if (became !== 'restored') fail(`its outcome was ${became}.`);
    if (await fault.isPresent(signal)) fail('the fault is still there after the healing.');
  }
}
