/** The intrinsics that an attempt would change to get a hold on its host. */
function watched(): readonly (readonly [name: string, object])[] {
  return [
    ['globalThis', globalThis],
    ...[
      Object,
      Array,
      Function,
      Promise,
      String,
      Number,
      RegExp,
      Map,
      Set,
      WeakMap,
      Date,
      Error,
      JSON,
      Math,
      Reflect,
      Symbol,
    ].flatMap((each): (readonly [string, object])[] =>
      typeof each === 'function'
        ? [
            [each.name, each],
            [`${each.name}.prototype`, Object(each.prototype)],
          ]
        : [[String(Reflect.get(each, Symbol.toStringTag)), each]],
    ),
    ['%Iterator.prototype%', Object(Object.getPrototypeOf(Object.getPrototypeOf([].values())))],
    ['%AsyncFunction.prototype%', Object(Object.getPrototypeOf(async () => undefined))],
  ];
}

type Picture = ReadonlyMap<string, PropertyDescriptor>;

/** What the intrinsics are now: every own property and the prototype of each. */
function takePicture(): Picture {
  const picture = new Map<string, PropertyDescriptor>();
  for (const [name, object] of watched()) {
    picture.set(`${name}.[[Prototype]]`, { value: Object.getPrototypeOf(object) });
    for (const key of Reflect.ownKeys(object)) {
      const descriptor = Reflect.getOwnPropertyDescriptor(object, key);
      if (descriptor) picture.set(`${name}.${String(key)}`, descriptor);
    }
  }
  return picture;
}

/** Looks at the intrinsics now; the answer names what has been added, changed or removed since. */
export function watchIntrinsics(): () => string[] {
  const before = takePicture();
  return () => {
    const after = takePicture();
    const added = [...after.keys()].filter((name) => !before.has(name));
    const changed = [...before].filter(([name, was]) => {
      const is = after.get(name);
      return !is || !Object.is(is.value, was.value) || is.get !== was.get || is.set !== was.set;
    });
    return [...added, ...changed.map(([name]) => name)].filter((name) => !isOfNode(name));
  };
}

/** What Node puts there by itself, when something is first used. */
function isOfNode(name: string): boolean {
  return name.startsWith('globalThis.Symbol(undici.');
}
