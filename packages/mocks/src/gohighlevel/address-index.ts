/** Which contacts have an address, the one that has had it longest first. */
export class AddressIndex {
  readonly #ids = new Map<string, readonly string[]>();

  first(address: string): string | undefined {
    return this.#ids.get(address)?.[0];
  }

  /** Takes note that a contact gives up one address for another. */
  move(id: string, from: string | undefined, to: string | undefined): void {
    // Not for nothing: a key that a Map loses and regains again and again makes its bucket long, and slow.
    if (from === to) return;
    if (from !== undefined) this.#remove(id, from);
    if (to !== undefined) this.#ids.set(to, [...(this.#ids.get(to) ?? []), id]);
  }

  clear(): void {
    this.#ids.clear();
  }

  #remove(id: string, address: string): void {
    const others = (this.#ids.get(address) ?? []).filter((one) => one !== id);
    if (others.length > 0) this.#ids.set(address, others);
    else this.#ids.delete(address);
  }
}
