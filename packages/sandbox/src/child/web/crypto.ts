const MAX_BYTES = 65_536;
const INTEGER_ARRAY =
  /^(?:Uint8|Uint8Clamped|Uint16|Uint32|Int8|Int16|Int32|BigInt64|BigUint64)Array$/;
/** Its `Symbol.toStringTag` is a getter that only a true typed array satisfies, whatever the array itself says. */
const TypedArrayPrototype: object = Object.getPrototypeOf(Uint8Array.prototype);

/**
 * The part of `crypto` that draws numbers: from the run's own chance, so that a replay draws the same. Nothing it makes is
 * a secret to whoever knows the seed.
 */
export function createCrypto(random: () => number): Record<string, (...given: never[]) => unknown> {
  function fill(bytes: Uint8Array): void {
    let bits = 0;
    for (let at = 0; at < bytes.length; at += 1) {
      bits = at % 4 === 0 ? Math.floor(random() * 2 ** 32) : bits >>> 8;
      bytes[at] = bits & 0xff;
    }
  }
  return {
    getRandomValues: (array: ArrayBufferView) => {
      const kind: unknown = Reflect.get(TypedArrayPrototype, Symbol.toStringTag, array);
      if (typeof kind !== 'string' || !INTEGER_ARRAY.test(kind))
        throw new TypeError('getRandomValues fills a typed array of integers');
      if (array.byteLength > MAX_BYTES)
        throw new RangeError(`getRandomValues fills ${MAX_BYTES} bytes at most`);
      fill(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
      return array;
    },
    randomUUID: () => {
      const bytes = new Uint8Array(16);
      fill(bytes);
      bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40; // version 4, RFC 9562
      bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
      const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
      return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    },
  };
}
