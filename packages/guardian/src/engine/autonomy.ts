import type { Tier } from '@buddy/core';
import type { Playbook } from '../playbook/define-playbook.ts';
import type { Certificate } from '../store/store.ts';
import type { Parts } from './parts.ts';

/** What the guardian may do by itself. */
export class Autonomy {
  readonly #parts: Parts;
  readonly #certificates = new Map<string, Certificate>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  add(certificate: Certificate): void {
    const known = this.#certificates.get(certificate.playbook);
    if (!known || known.at <= certificate.at) {
      this.#certificates.set(certificate.playbook, certificate);
    }
  }

  /** The certificate that is good now: not too old, and for this very code. */
  certificateOf({ id, codeHash }: Playbook): Certificate | undefined {
    const certificate = this.#certificates.get(id);
    const { clock, options } = this.#parts;
    if (certificate?.codeHash !== codeHash) return undefined;
    return clock.now() - certificate.at < options.certificateMs ? certificate : undefined;
  }

  /** Why a step of this tier may not run, or undefined when it may. */
  refusal(playbook: Playbook, tier: Tier, isRehearsal: boolean): string | undefined {
    if (tier === 4) return 'a step of tier 4 is for people';
    const mode = this.#parts.options.autonomy[tier];
    switch (mode) {
      case 'auto':
        return undefined;
      case 'never':
        return `autonomy for tier ${tier} is "never"`;
      case 'rehearsed':
        if (isRehearsal || this.certificateOf(playbook)) return undefined;
        return `tier ${tier} runs unattended only with a rehearsal certificate; rehearse("${playbook.id}", ...) earns one`;
    }
  }
}
