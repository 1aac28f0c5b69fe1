/**
 * What turns text into code. None of it works here: a program comes in through the gate, whole, and what a program would
 * make of text while it runs has passed no gate. It would need an evaluator of its own, and each evaluator is one more
 * boundary to lose; nothing that models write needs one.
 *
 * SES leaves a working `eval` and `Function` in each compartment and constructors that throw, unheard of, on the
 * prototypes. These here throw too, after their run was told, be the error caught or not.
 */
export interface Compilers {
  /** To be put in the place of a compartment's own. */
  readonly globals: {
    readonly eval: object;
    readonly Function: object;
    readonly Compartment: object;
  };
  /** Who logs an attempt and makes the error to throw. There is one run at a time. */
  hearOf(refuse: (what: string) => Error): void;
}

/** To be called when the realm is repaired, and before it is hardened. */
export function disableCompilers(): Compilers {
  let refuse = refuseUnheard;

  function disabled(name: string, prototype: object | undefined): object {
    function compile(): never {
      throw refuse(`${name}()`);
    }
    // `typeof`, `instanceof` and `x.constructor.name` go on as they were.
    Object.defineProperty(compile, 'name', { value: name });
    Object.defineProperty(compile, 'prototype', { value: prototype, writable: false });
    return compile;
  }
  function disabledConstructor(name: string, example: () => unknown): object {
    const prototype: object = Object.getPrototypeOf(example);
    const constructor = disabled(name, prototype);
    Object.defineProperty(prototype, 'constructor', { value: constructor });
    return constructor;
  }

  const DisabledFunction = disabledConstructor('Function', () => undefined);
  const kinds = {
    AsyncFunction: async () => undefined,
    GeneratorFunction: function* () {},
    AsyncGeneratorFunction: async function* () {},
  };
  for (const [name, example] of Object.entries(kinds))
    Object.setPrototypeOf(disabledConstructor(name, example), DisabledFunction);
  return {
    globals: {
      eval: disabled('eval', undefined),
      Function: DisabledFunction,
      Compartment: disabled('Compartment', undefined),
    },
    hearOf: (next) => {
      refuse = next;
    },
  };
}

/** Before the first run, when there is nobody to tell. */
function refuseUnheard(what: string): Error {
  return new TypeError(`${what} is not available`);
}
