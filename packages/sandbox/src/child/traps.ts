import { TRAPPED_GLOBALS } from '../guest-globals.ts';
import type { ViolationType } from '../violations/violation.ts';

/** Logs the violation and returns the error to throw. */
export type Refuse = (type: ViolationType, details: string) => Error;

interface Refusal {
  type: ViolationType;
  /** What there is instead, for the program's author. */
  instead: string;
}

const NETWORK: Refusal = {
  type: 'NETWORK_ACCESS_ATTEMPT',
  instead: 'There is no network here; call one of the functions in `tools`.',
};
const SUBPROCESS: Refusal = {
  type: 'SUBPROCESS_ATTEMPT',
  instead: 'No other program can be started here; call one of the functions in `tools`.',
};
const FILESYSTEM: Refusal = {
  type: 'FILESYSTEM_ATTEMPT',
  instead:
    'There is no file system here; `scratch.write(name, text)` and `scratch.read(name)` keep files in memory.',
};
const IMPORT: Refusal = {
  type: 'IMPORT_ALLOWLIST_VIOLATION',
  instead:
    'Only the modules on the allow-list can be imported, with an import statement at the top.',
};
const BUILTIN: Refusal = {
  type: 'BUILTIN_VIOLATION',
  instead: 'Use plain JavaScript, `input` and `tools`.',
};

/** By the beginning of the path that was touched; the longest that fits wins, else BUILTIN. */
const REFUSALS: Readonly<Record<string, Refusal>> = {
  fetch: NETWORK,
  WebSocket: NETWORK,
  WebTransport: NETWORK,
  XMLHttpRequest: NETWORK,
  EventSource: NETWORK,
  BroadcastChannel: NETWORK,
  'navigator.sendBeacon': NETWORK,
  caches: NETWORK,
  'Deno.connect': NETWORK,
  'Deno.connectTls': NETWORK,
  'Deno.listen': NETWORK,
  'Deno.serve': NETWORK,
  'Deno.resolveDns': NETWORK,
  'Bun.connect': NETWORK,
  'Bun.listen': NETWORK,
  'Bun.serve': NETWORK,
  'Deno.run': SUBPROCESS,
  'Deno.Command': SUBPROCESS,
  'Deno.kill': SUBPROCESS,
  'Bun.spawn': SUBPROCESS,
  'Bun.$': SUBPROCESS,
  'process.kill': SUBPROCESS,
  'process.execve': SUBPROCESS,
  'process.dlopen': SUBPROCESS,
  Worker: SUBPROCESS,
  SharedWorker: SUBPROCESS,
  ServiceWorker: SUBPROCESS,
  'Deno.readFile': FILESYSTEM,
  'Deno.readTextFile': FILESYSTEM,
  'Deno.writeFile': FILESYSTEM,
  'Deno.writeTextFile': FILESYSTEM,
  'Deno.open': FILESYSTEM,
  'Deno.remove': FILESYSTEM,
  'Deno.readDir': FILESYSTEM,
  'Deno.stat': FILESYSTEM,
  'Bun.file': FILESYSTEM,
  'Bun.write': FILESYSTEM,
  'process.chdir': FILESYSTEM,
  'process.cwd': FILESYSTEM,
  localStorage: FILESYSTEM,
  sessionStorage: FILESYSTEM,
  indexedDB: FILESYSTEM,
  importScripts: IMPORT,
  require: IMPORT,
};

/** What loads a module by its name: the name decides what was tried. */
const LOADERS = new Set([
  'require',
  'process.mainModule.require',
  'process.getBuiltinModule',
  'process.binding',
  'process._linkedBinding',
]);
/** Touching these is not yet doing anything; what is done next is. */
const STEPS = new Set(['process.mainModule', ...LOADERS]);

const NETWORK_MODULES =
  /^(?:net|tls|dgram|dns|http|https|http2|inspector|quic|undici|axios|ws|got|node-fetch|tcp_wrap|udp_wrap|pipe_wrap|cares_wrap)(?:\/|$)/;
const SUBPROCESS_MODULES =
  /^(?:child_process|cluster|worker_threads|execa|shelljs|spawn_sync|process_wrap)(?:\/|$)/;
const FILESYSTEM_MODULES = /^(?:fs|path|os|sqlite|fs-extra|glob|graceful-fs)(?:\/|$)/;

/** Stand-ins for what is not there. Using one in any way but `typeof` logs a violation and throws. */
export function createTraps(refuse: Refuse): Record<string, object> {
  return Object.fromEntries(TRAPPED_GLOBALS.map((name) => [name, createTrap(name, refuse)]));
}

function createTrap(path: string, refuse: Refuse): object {
  return new Proxy(trapTarget, new TrapHandler(path, refuse));
}

/** Shared, for no trap ever gives it away. A function, so that `typeof fetch` is what code expects. */
function trapTarget(): void {}

/** A class, for its methods are made once and not for each of the many traps of each run. */
class TrapHandler implements ProxyHandler<object> {
  readonly #path: string;
  readonly #refuse: Refuse;

  constructor(path: string, refuse: Refuse) {
    this.#path = path;
    this.#refuse = refuse;
  }

  apply(_target: object, _self: unknown, given: unknown[]): never {
    if (!LOADERS.has(this.#path)) return this.#give(`${this.#path}()`, refusalOf(this.#path));
    return this.#give(`${this.#path}(${describeName(given[0])})`, refusalOfModule(given[0]));
  }

  construct(target: object, given: unknown[]): never {
    return this.apply(target, undefined, given);
  }

  get(_target: object, key: string | symbol): object | undefined {
    // Asked by the language itself, when a value is awaited, printed or compared.
    if (typeof key === 'symbol' || key === 'then') return undefined;
    if (LOADERS.has(this.#path)) return this.#deny();
    const member = `${this.#path}.${key.slice(0, 64)}`;
    return STEPS.has(member)
      ? createTrap(member, this.#refuse)
      : this.#give(member, refusalOf(member));
  }

  has(): never {
    return this.#deny();
  }
  set(): never {
    return this.#deny();
  }
  defineProperty(): never {
    return this.#deny();
  }
  deleteProperty(): never {
    return this.#deny();
  }
  getOwnPropertyDescriptor(): never {
    return this.#deny();
  }
  getPrototypeOf(): never {
    return this.#deny();
  }
  setPrototypeOf(): never {
    return this.#deny();
  }
  ownKeys(): never {
    return this.#deny();
  }
  isExtensible(): never {
    return this.#deny();
  }
  preventExtensions(): never {
    return this.#deny();
  }

  #deny(): never {
    return this.#give(this.#path, refusalOf(this.#path));
  }

  #give(what: string, { type, instead }: Refusal): never {
    throw this.#refuse(type, `${what} is not available. ${instead}`);
  }
}

function refusalOf(path: string): Refusal {
  const [root = path] = path.split('.');
  const exact = Object.keys(REFUSALS).filter((known) => path.startsWith(known));
  const longest = exact.toSorted((a, b) => b.length - a.length)[0];
  return REFUSALS[longest ?? root] ?? BUILTIN;
}

function refusalOfModule(specifier: unknown): Refusal {
  if (typeof specifier !== 'string') return IMPORT;
  const name = specifier.replace(/^node:/, '');
  if (NETWORK_MODULES.test(name)) return NETWORK;
  if (SUBPROCESS_MODULES.test(name)) return SUBPROCESS;
  if (FILESYSTEM_MODULES.test(name)) return FILESYSTEM;
  return IMPORT;
}

function describeName(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 64)) : '';
}
