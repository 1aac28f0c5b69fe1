/** Calls a tool by its full name. */
export type CallTool = (name: string, given: unknown[]) => Promise<unknown>;

/** Names of tools, cut at their dots: `crm.contacts.find` is the branch `crm`, in it `contacts`, in it `find`. */
export interface ToolBranch {
  name: string;
  isTool: boolean;
  branches: Map<string, ToolBranch>;
}

export function growToolTree(names: readonly string[]): ToolBranch {
  const root: ToolBranch = { name: '', isTool: false, branches: new Map() };
  for (const name of names) {
    let at = root;
    for (const part of name.split('.')) {
      const known = at.branches.get(part);
      const next = known ?? {
        name: at === root ? part : `${at.name}.${part}`,
        isTool: false,
        branches: new Map(),
      };
      if (!known) at.branches.set(part, next);
      at = next;
    }
    at.isTool = true;
    // The full name works too: tools['crm.contacts.find'].
    if (!root.branches.has(name)) root.branches.set(name, at);
  }
  return root;
}

/** The functions of a tree, made when they are asked for. A name that is not there is an error with the names that are. */
export function createToolTree(tree: ToolBranch, call: CallTool): object {
  const made = new Map<string, object>();
  const callThis = (...given: unknown[]): Promise<unknown> => call(tree.name, given);
  // A tool without tools below it is just a function.
  if (tree.isTool && tree.branches.size === 0) return Object.freeze(callThis);

  function memberOf(key: string | symbol): object | undefined {
    const branch = typeof key === 'string' ? tree.branches.get(key) : undefined;
    if (typeof key !== 'string' || !branch) return undefined;
    const member = made.get(key) ?? createToolTree(branch, call);
    made.set(key, member);
    return member;
  }

  return new Proxy(tree.isTool ? callThis : Object.create(null), {
    get: (_target, key) => {
      const member = memberOf(key);
      // The language itself asks for symbols, `then` and `toJSON`, when a value is awaited or printed.
      if (member !== undefined || typeof key === 'symbol' || key === 'then' || key === 'toJSON')
        return member;
      const where = tree.name === '' ? 'tools' : `tools.${tree.name}`;
      throw new TypeError(`${where} has no ${key.slice(0, 64)}; it has ${namesOf(tree)}`);
    },
    has: (_target, key) => memberOf(key) !== undefined,
    ownKeys: () => (tree.isTool ? [] : [...tree.branches.keys()]),
    getOwnPropertyDescriptor: (_target, key) => {
      const value = memberOf(key);
      return value && { value, enumerable: true, configurable: true, writable: false };
    },
    set: refuseChange,
    defineProperty: refuseChange,
    deleteProperty: refuseChange,
    setPrototypeOf: refuseChange,
    preventExtensions: refuseChange,
  });
}

function refuseChange(): never {
  throw new TypeError('tools cannot be changed');
}

function namesOf(tree: ToolBranch): string {
  const names = [...tree.branches.keys()];
  if (names.length === 0) return 'no tools at all';
  const shown = names.slice(0, 12).join(', ');
  return names.length > 12 ? `${shown} and ${names.length - 12} more` : shown;
}
