/** A copy with some fields changed, that keeps all else: prototype, symbols, and what frameworks hide from `{ ...copy }`. */
export function copyWith<T extends object>(original: T, changes: object): T {
  const descriptors = Object.getOwnPropertyDescriptors(original);
  // It has every field that T has, which TypeScript does not say of descriptors.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const copy = Object.create(Object.getPrototypeOf(original), descriptors) as T;
  for (const [key, value] of Object.entries(changes)) {
    Object.defineProperty(copy, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return copy;
}
