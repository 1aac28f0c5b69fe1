/** What a bot tells of itself: lines on its standard output, messages by `process.send`. */
export class BotSigns {
  readonly #monotonic: () => number;
  readonly #awaitedText: string | undefined;
  readonly #line = Promise.withResolvers<void>();
  readonly #ready = Promise.withResolvers<void>();
  lastAliveAt: number;

  /** @param awaitedText What a line has to contain. */
  constructor(monotonic: () => number, awaitedText: string | undefined) {
    this.#monotonic = monotonic;
    this.#awaitedText = awaitedText;
    this.lastAliveAt = monotonic();
  }

  get line(): Promise<void> {
    return this.#line.promise;
  }

  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  onLine(text: string): void {
    if (this.#awaitedText !== undefined && text.includes(this.#awaitedText)) this.#line.resolve();
  }

  /** Anything may come from a child; what is none of the two is for somebody else. */
  onMessage(message: unknown): void {
    if (typeof message !== 'object' || message === null || !('type' in message)) return;
    if (message.type === 'ready') this.#ready.resolve();
    if (message.type === 'alive') this.lastAliveAt = this.#monotonic();
  }
}
