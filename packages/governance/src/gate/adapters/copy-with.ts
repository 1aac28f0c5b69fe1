/**
 * A copy with some fields changed, that keeps all else: prototype, symbols, and what frameworks hide from `{ ...copy }`. Of
 * what is frozen, the copy is, too.
 */
export function copyWith<T extends object>(original: T, changes: object): T {
  const fields: PropertyDescriptorMap = Object.getOwnPropertyDescriptors(original);
  for (const key of Reflect.ownKeys(changes)) {
    const value: unknown = Reflect.get(changes, key);
    fields[key] = { value, enumerable: true, configurable: true, writable: true };
  }
  // It has every field that T has, which TypeScript does not say of descriptors.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const copy = Object.create(Object.getPrototypeOf(original), fields) as T;
  return Object.isFrozen(original) ? Object.freeze(copy) : copy;
}
