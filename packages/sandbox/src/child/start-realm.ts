import { type Compilers, disableCompilers } from './compilers.ts';
import { claimIntl } from './intl.ts';
import { TextDecoder, TextEncoder } from './web/text-codec.ts';
import { URL } from './web/url.ts';
import { URLSearchParams } from './web/url-search-params.ts';
import { registerHooks } from 'node:module';
import { LANGUAGE_GLOBALS } from '../guest-globals.ts';
import { writeSync } from 'node:fs';
// For what it does to the globals: it brings `lockdown`, `harden` and `Compartment`.
// oxlint-disable-next-line import/no-unassigned-import
import 'ses';

/** What the bootstrap keeps for itself when the start realm is emptied. None of it is reachable from a compartment. */
export interface StartRealm {
  Date: DateConstructor;
  /** Without `random`. Hardened. */
  Math: object;
  /** What SES does not permit but is harmless in a process of its own. Hardened. */
  extraIntrinsics: Record<string, object>;
  /** The language's own globals, the same in every compartment. Frozen, without a prototype. */
  language: object;
  compilers: Compilers;
  /** Whose time formatters of dates take, where they are given none. */
  readTimeOf: (now: () => number) => void;
  setImmediate: (callback: () => void) => void;
  stackOf: (error: Error) => string;
  write: (bytes: Buffer) => void;
  onData: (listener: (bytes: Buffer) => void) => void;
  onUncaught: (listener: (thrown: unknown) => void) => void;
  onUnhandledRejection: (listener: (reason: unknown) => void) => void;
  /** Ends the process with an explanation on its standard error. */
  die: (thrown: unknown) => void;
}

/** A realm that is repaired but not yet locked down. */
export type RepairedRealm = Pick<StartRealm, 'Math' | 'extraIntrinsics'>;

const REPLIES_FD = 1;
const WEB_INTRINSICS = { TextDecoder, TextEncoder, URL, URLSearchParams };

/** What is done first, and can be kept in a start-up snapshot: everything that freezes nothing yet. */
export function repairStartRealm(): RepairedRealm {
  const extraIntrinsics = { Float32Array, Float64Array, Intl, ...WEB_INTRINSICS };
  // A copy, for SES takes away what it does not know yet, such as Math.sumPrecise.
  const { random: _unseeded, ...mathDescriptors } = Object.getOwnPropertyDescriptors(Math);
  const GuestMath: object = Object.create(Object.prototype, mathDescriptors);
  repairIntrinsics({
    errorTaming: 'safe',
    localeTaming: 'unsafe', // toLocaleString and localeCompare as everywhere else; the process is thrown away
    overrideTaming: 'severe', // `o.toString = …` on an ordinary object works, as models write it
    consoleTaming: 'unsafe',
    errorTrapping: 'none',
    unhandledRejectionTrapping: 'none',
    reporting: 'none',
    domainTaming: 'unsafe',
    stackFiltering: 'verbose',
  });
  return { extraIntrinsics, Math: GuestMath };
}

/**
 * Locks the realm down, then empties it: code that finds its way out of a compartment finds no `process`, no `fetch`, no
 * `Buffer`, and a module loader that refuses.
 */
export function claimStartRealm({ extraIntrinsics, Math: GuestMath }: RepairedRealm): StartRealm {
  const { process, setImmediate } = globalThis;
  process.env['TZ'] = 'UTC'; // the same dates on every machine
  const { stdin } = process;
  const exit = process.exit.bind(process);
  const on = process.on.bind(process);
  // Node's own, written in C++ below: a guest that puts another object in the place of a decoder's handle makes it read
  // memory that is not its own.
  Reflect.deleteProperty(globalThis, 'TextDecoder');
  Reflect.deleteProperty(globalThis, 'TextEncoder');
  const compilers = disableCompilers();
  const intl = claimIntl();
  hardenIntrinsics();
  harden(compilers.globals);
  const getStackString: unknown = Reflect.get(globalThis, 'getStackString');
  registerHooks({ resolve: refuseModule, load: refuseModule });
  const RealDate = Date;
  harden(extraIntrinsics);
  harden(intl.hidden);
  harden(Reflect.get(globalThis, 'SuppressedError')); // thrown where `using` meets two errors; SES does not know it
  harden(GuestMath);
  emptyGlobal();

  return {
    Date: RealDate,
    Math: GuestMath,
    extraIntrinsics,
    language: languageGlobals(),
    compilers,
    readTimeOf: intl.readTimeOf,
    setImmediate: (callback) => void setImmediate(callback),
    stackOf: (error) => (typeof getStackString === 'function' ? String(getStackString(error)) : ''),
    write: (bytes) => {
      for (let at = 0; at < bytes.length;) at += writeSync(REPLIES_FD, bytes, at);
    },
    onData: (listener) => {
      stdin.on('data', listener);
      stdin.on('end', () => exit(0)); // the host is gone
      stdin.on('error', () => exit(0));
    },
    onUncaught: (listener) => void on('uncaughtException', listener),
    onUnhandledRejection: (listener) => void on('unhandledRejection', listener),
    die: (thrown) => {
      const isError = thrown instanceof Error;
      const stack =
        isError && typeof getStackString === 'function' ? String(getStackString(thrown)) : '';
      writeSync(2, `${isError ? thrown.message : String(thrown)}\n${stack}\n`);
      exit(70);
    },
  };
}

function languageGlobals(): object {
  const language: object = new Compartment({ __options__: true }).globalThis;
  const globals = Object.create(null);
  for (const name of LANGUAGE_GLOBALS) {
    if (!OWN_TO_EACH_COMPARTMENT.has(name)) globals[name] = Reflect.get(language, name);
  }
  return Object.freeze(globals);
}

/** Of another compartment, these would be an evaluator and a place where one run leaves things for the next. */
const OWN_TO_EACH_COMPARTMENT = new Set(['eval', 'Function', 'globalThis']);

function refuseModule(): never {
  throw new Error('There are no modules here');
}

/** Takes away all that is no part of the language. */
function emptyGlobal(): void {
  const language: object = new Compartment({ __options__: true }).globalThis;
  const kept = new Set<string | symbol>([
    ...Reflect.ownKeys(language),
    'Compartment',
    'harden',
    'globalThis',
    'eval',
    'Function',
  ]);
  for (const key of Reflect.ownKeys(globalThis)) {
    if (!kept.has(key)) Reflect.deleteProperty(globalThis, key);
  }
}
