import type { RehearsedFault } from '../engine/rehearsal.ts';
import type { InjectedFault } from './injected-fault.ts';

interface RehearsablePorts {
  inject: (signal: AbortSignal) => Promise<InjectedFault>;
  /** Whether the fault is there without us having put it there. */
  isPresent: (signal: AbortSignal) => Promise<boolean>;
}

/** A fault of a kit that can be put there again and again, healed or not in between. */
export class RehearsableFault implements RehearsedFault, AsyncDisposable {
  readonly name: string;
  readonly #ports: RehearsablePorts;
  #injected: InjectedFault | undefined;

  constructor(name: string, ports: RehearsablePorts) {
    this.name = name;
    this.#ports = ports;
  }

  async apply(signal: AbortSignal): Promise<void> {
    // What a healing took away is still in the journal, and what it left aside is still to be put back.
    await this.revert();
    this.#injected = await this.#ports.inject(signal);
  }

  async isPresent(signal: AbortSignal): Promise<boolean> {
    return this.#injected ? this.#injected.isPresent() : this.#ports.isPresent(signal);
  }

  async revert(): Promise<void> {
    await this.#injected?.revert();
    this.#injected = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.revert();
  }
}
