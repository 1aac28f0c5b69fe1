class Rich {
  readonly public = 1;
  readonly #secret: string;
  constructor(secret: string) {
    this.#secret = secret;
    Object.defineProperty(this, 'ABUSE_CANARY', { value: secret });
    Object.defineProperty(this, Symbol.for('secret'), { value: secret, enumerable: true });
  }
  get fromPrototype(): string {
    return this.#secret;
  }
}

/** An output with secrets in all that is no data: a hidden property, a symbol, a getter of its class. */
export function richOutput(secret: string): object {
  return new Rich(secret);
}
