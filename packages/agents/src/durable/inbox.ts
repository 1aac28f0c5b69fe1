export interface Signal {
  key: string;
  topic: string;
  value: unknown;
}

/** The signals that came to a workflow: the first of each key counts, and is kept until somebody takes it. */
export class Inbox {
  readonly #untaken = new Map<string, Signal[]>();
  readonly #receivedKeys = new Set<string>();
  readonly #takers = new Map<string, (signal: Signal) => void>();

  /** One that came to an instance of the workflow before this one. */
  recall(signal: Signal, { isTaken }: { isTaken: boolean }): void {
    this.#receivedKeys.add(signal.key);
    if (!isTaken) this.#keep(signal);
  }

  hasReceived(key: string): boolean {
    return this.#receivedKeys.has(key);
  }

  receive(signal: Signal): void {
    if (this.#receivedKeys.has(signal.key)) return;
    this.#receivedKeys.add(signal.key);
    const take = this.#takers.get(signal.topic);
    if (take) take(signal);
    else this.#keep(signal);
  }

  /** The earliest that came and was not taken. */
  take(topic: string): Signal | undefined {
    return this.#untaken.get(topic)?.shift();
  }

  /** Hands over whatever comes, until told to stop. */
  onReceived(topic: string, take: (signal: Signal) => void): void {
    this.#takers.set(topic, take);
  }

  stopHandingOver(topic: string): void {
    this.#takers.delete(topic);
  }

  #keep(signal: Signal): void {
    const { topic } = signal;
    this.#untaken.set(topic, [...(this.#untaken.get(topic) ?? []), signal]);
  }
}
