import type {
  AnswerMessage,
  AnswerOutcome,
  ChildLimits,
  ChildMessage,
  GuestOutcome,
  ModuleProgram,
  RunMessage,
  ThrownByGuest,
} from '../protocol/messages.ts';
import { decodePlainData, encodePlainData } from '../protocol/plain-data.ts';
import type { Violation, ViolationType } from '../violations/violation.ts';
import { fromBase64, toBase64 } from './base64.ts';
import { createDate, createMath, createRandom } from './clock-and-chance.ts';
import { createConsole } from './console.ts';
import { describe, describeError, nameOf } from './describe.ts';
import { createScratch } from './scratch.ts';
import type { StartRealm } from './start-realm.ts';
import { createTimers, type Timers } from './timers.ts';
import { createToolTree, type ToolBranch } from './tool-tree.ts';
import { createTraps } from './traps.ts';
import { createAbort } from './web/abort.ts';
import { createCrypto } from './web/crypto.ts';

export interface GuestRunOptions {
  realm: StartRealm;
  tools: ToolBranch;
  modules: Readonly<Record<string, ModuleProgram>>;
  limits: ChildLimits;
  send: (message: ChildMessage) => void;
}

/** In the prepared source, from 1. */
interface Place {
  line: number | null;
  column: number | null;
}

/** What a guest's program is evaluated to: see prepareGuestSource. */
type Program = (globals: object) => Promise<unknown>;

/**
 * One run of one program: a fresh compartment and everything in it that belongs to the run. Made before the program is
 * known, so that starting it costs little.
 */
export class GuestRun {
  readonly #options: GuestRunOptions;
  readonly #compartment: Compartment;
  readonly #globals: object;
  readonly #waiting = new Map<number, (outcome: AnswerOutcome) => void>();
  readonly #violations = new WeakMap<object, Violation>();
  readonly #places = new WeakMap<Error, Place>();
  #state: 'waiting' | 'running' | 'done' = 'waiting';
  #run = 0;
  #startedAt = 0;
  #elapsedMs = 0;
  #lastId = 0;
  #turnsLeft = 0;
  #tellsRest = false;
  #random: () => number = () => 0;
  #timers: Timers | undefined;

  constructor(options: GuestRunOptions) {
    this.#options = options;
    const endowments = this.#endowments();
    this.#compartment = new Compartment({ globals: endowments, name: 'guest', __options__: true });
    const own = this.#compartment.globalThis;
    const abort = this.#abortGlobals();
    Object.assign(own, options.realm.compilers.globals, FOREIGN_TO_GUESTS);
    Object.defineProperties(own, abort);
    // What the language brings is inherited: it is the same for all runs, and reading it all out takes a while.
    let modules: object | undefined;
    const namespaces = (): object => (modules ??= this.#moduleNamespaces());
    this.#globals = {
      __proto__: options.realm.language,
      ...endowments,
      eval: own['eval'],
      Function: own['Function'],
      globalThis: own,
      get modules(): object {
        return namespaces();
      },
    };
    Object.defineProperties(this.#globals, abort);
  }

  start(message: RunMessage): void {
    this.#run = message.run;
    this.#startedAt = message.now;
    this.#tellsRest = message.tellsRest === true;
    this.#random = createRandom(message.seed);
    this.#state = 'running';
    this.#options.realm.readTimeOf(() => this.#now());
    this.#options.realm.compilers.hearOf((what) => {
      return this.#refuse('BUILTIN_VIOLATION', `${what} is not available. ${NO_COMPILER}`);
    });
    this.#send({ type: 'started', run: this.#run });
    const input = decodePlainData(message.input);
    const given = input.ok ? input.value : undefined; // a copy, and the program's own: it may sort it in place
    Object.defineProperty(this.#globals, 'input', { value: given });
    Object.defineProperty(this.#compartment.globalThis, 'input', { value: given });
    Object.freeze(this.#globals);
    this.#execute(message.source).then(
      (value) => this.#finish(this.#valueOutcome(value)),
      (thrown: unknown) => this.#finish(this.#thrownOutcome(thrown)),
    );
    this.#endWhenStuck();
    this.#tellRest();
  }

  answer({ run, id, elapsedMs, outcome }: AnswerMessage): void {
    const settle = this.#waiting.get(id);
    if (run !== this.#run || this.#state !== 'running' || !settle) return;
    this.#waiting.delete(id);
    this.#elapsedMs = Math.max(this.#elapsedMs, elapsedMs);
    settle(outcome);
    this.#endWhenStuck();
    this.#tellRest();
  }

  /** A promise was rejected that nobody listens to. In Node that ends a program; here it is a line in its log. */
  unhandledRejection(reason: unknown): void {
    if (this.#state !== 'running') return;
    const text = `Unhandled rejection: ${describe(reason, 1_000)}`;
    this.#send({ type: 'log', run: this.#run, level: 'error', text });
  }

  /** Something was thrown that no part of this program caught. */
  fail(thrown: unknown): void {
    this.#finish(this.#thrownOutcome(thrown));
  }

  #enter(callback: () => unknown): void {
    try {
      callback();
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  async #enterLater(callback: unknown): Promise<void> {
    await Promise.resolve();
    this.#enter(() =>
      typeof callback === 'function' ? Reflect.apply(callback, undefined, []) : undefined,
    );
  }

  async #execute(source: string): Promise<unknown> {
    // A guest's program is what this package evaluates; the compartment is what it is evaluated in.
    const program: Program = this.#compartment.evaluate(`${source}\n//# sourceURL=${SOURCE_NAME}`);
    return await program(this.#globals);
  }

  #finish(outcome: GuestOutcome): void {
    if (this.#state !== 'running') return;
    this.#state = 'done';
    this.#send({ type: 'done', run: this.#run, outcome, isIdle: this.#waiting.size === 0 });
  }

  #send(message: ChildMessage): void {
    needStack(FRAMES_OF_A_MESSAGE);
    this.#options.send(message);
  }

  /** With no call and no timer under way, and no code left to run, nothing can ever settle the program's promise. */
  #endWhenStuck(): void {
    if (this.#waiting.size > 0) return;
    this.#options.realm.setImmediate(() => {
      if (this.#state !== 'running' || this.#waiting.size > 0) return;
      const message = 'The program waits for a promise that nothing can settle any more';
      this.#finish({
        status: 'thrown',
        thrown: { name: 'StalledError', message, line: null, column: null },
        violation: null,
      });
    });
  }

  /** All that a program does between two answers, it does in microtasks: by the next turn of the event loop it has. */
  #tellRest(): void {
    if (!this.#tellsRest) return;
    this.#options.realm.setImmediate(() => {
      if (this.#state === 'running') this.#send({ type: 'rested', run: this.#run });
    });
  }

  #endowments(): Record<string, unknown> {
    const { realm, limits, tools } = this.#options;
    const now = (): number => this.#now();
    const random = (): number => this.#random();
    const refuse = (type: ViolationType, details: string): Error => this.#refuse(type, details);
    this.#timers = createTimers({
      maxTimers: limits.maxTimers,
      wake: (ms, then) => this.#ask((id) => ({ type: 'timer', run: this.#run, id, ms }), then),
      enter: (callback) => this.#enter(callback),
      refuseText: () =>
        this.#refuse(
          'BUILTIN_VIOLATION',
          `A timer that evaluates text is not available. ${NO_COMPILER}`,
        ),
    });
    const plain = {
      ...realm.extraIntrinsics,
      ...this.#timers,
      Date: createDate(realm.Date, now),
      Math: createMath(realm.Math, random),
      crypto: createCrypto(random),
      performance: { now: () => this.#elapsedMs, timeOrigin: 0 },
      console: createConsole(limits, (level, text) => {
        if (this.#state === 'running') this.#send({ type: 'log', run: this.#run, level, text });
      }),
      scratch: createScratch(limits, refuse),
      queueMicrotask: (callback: unknown): void => {
        if (typeof callback !== 'function')
          throw new TypeError('queueMicrotask calls a function; give it one');
        void this.#enterLater(callback);
      },
      structuredClone: (value: unknown) => this.#clone(value),
      atob: (text: unknown) => fromBase64(text),
      btoa: (text: unknown) => toBase64(text),
    };
    freezeTwoLevels(plain);
    // Proxies, whose traps `harden` would spring; they let nothing be changed.
    return {
      ...plain,
      ...createTraps(refuse),
      tools: createToolTree(tools, (name, given) => this.#callTool(name, given)),
      input: undefined,
    };
  }

  #now(): number {
    return this.#startedAt + this.#elapsedMs;
  }

  /** Made when they are asked for, for few programs do. */
  #abortGlobals(): PropertyDescriptorMap {
    let made: ReturnType<typeof createAbort> | undefined;
    const make = (): ReturnType<typeof createAbort> =>
      (made ??= createAbort({
        wake: (callback, ms) => void this.#timers?.setTimeout(callback, ms),
        enter: (callback) => this.#enter(callback),
      }));
    return {
      AbortController: { get: () => make().AbortController, configurable: true },
      AbortSignal: { get: () => make().AbortSignal, configurable: true },
    };
  }

  /** Each is evaluated when a program first imports it, in the program's own compartment: it sees the run's clock and chance. */
  #moduleNamespaces(): object {
    const namespaces: object = Object.create(null);
    for (const [name, program] of Object.entries(this.#options.modules)) {
      let namespace: unknown;
      Object.defineProperty(namespaces, name, {
        enumerable: true,
        get: () => (namespace ??= harden(this.#evaluateModule(name, program))),
      });
    }
    return Object.freeze(namespaces);
  }

  #evaluateModule(name: string, { source, isFunction }: ModuleProgram): unknown {
    const value: unknown = this.#compartment.evaluate(`${source}\n//# sourceURL=module-${name}.js`);
    return isFunction && typeof value === 'function'
      ? Reflect.apply(value, undefined, [this.#globals])
      : value;
  }

  #callTool(tool: string, given: unknown[]): Promise<unknown> {
    const encoded = encodePlainData(given.length === 0 ? {} : given[0], {
      maxSize: this.#options.limits.maxArgumentBytes,
    });
    if (!encoded.ok)
      return Promise.reject(new TypeError(`tools.${tool}: the input's ${encoded.problem.message}`));
    // Where the program calls: the error of a failed call is made long after, with nothing of the program on the stack.
    const place = this.#placeOf(new Error(tool));
    return new Promise((resolve, reject) => {
      const ask = (id: number): ChildMessage => ({
        type: 'call',
        run: this.#run,
        id,
        tool,
        input: encoded.wire,
        line: place.line,
      });
      this.#ask(ask, (outcome) => {
        if (!outcome.ok) {
          const error = this.#errorOf(outcome);
          this.#places.set(error, place);
          reject(error);
          return;
        }
        const decoded = decodePlainData(outcome.value);
        if (decoded.ok) resolve(decoded.value);
        else reject(new TypeError(`tools.${tool}: the output's ${decoded.problem.message}`));
      });
    });
  }

  #ask(messageOf: (id: number) => ChildMessage, then: (outcome: AnswerOutcome) => void): void {
    if (this.#state !== 'running')
      throw new Error('The program has ended; nothing can be called any more');
    const id = this.#lastId + 1;
    this.#waiting.set(id, then);
    try {
      this.#send(messageOf(id));
    } catch (error) {
      this.#waiting.delete(id); // not asked, for the stack overflowed; the host checks that no number is left out
      throw error;
    }
    this.#lastId = id;
    this.#stayAwake();
  }

  /**
   * Looks for the answer a little while before going to sleep: being woken takes longer than most tools do. A turn of the
   * event loop with an immediate in it polls without waiting.
   */
  #stayAwake(): void {
    const isAwake = this.#turnsLeft > 0;
    this.#turnsLeft = TURNS_AWAKE;
    if (!isAwake) this.#options.realm.setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#turnsLeft = this.#waiting.size > 0 && this.#state === 'running' ? this.#turnsLeft - 1 : 0;
    if (this.#turnsLeft > 0) this.#options.realm.setImmediate(() => this.#turn());
  }

  #errorOf({ name, message, violation }: Extract<AnswerOutcome, { ok: false }>): Error {
    const error = named(name, message);
    if (violation) this.#violations.set(error, violation);
    return error;
  }

  #clone(value: unknown): unknown {
    const encoded = encodePlainData(value, { maxSize: this.#options.limits.maxScratchBytes });
    const decoded = encoded.ok ? decodePlainData(encoded.wire) : encoded;
    if (decoded.ok) return decoded.value;
    throw named('DataCloneError', decoded.problem.message);
  }

  #refuse(type: ViolationType, details: string): Error {
    const error = named('SandboxViolationError', details);
    const violation: Violation = {
      type,
      details: details.slice(0, 1_000),
      line: this.#placeOf(error).line,
    };
    this.#violations.set(error, violation);
    if (this.#state === 'running') this.#send({ type: 'violation', run: this.#run, violation });
    return error;
  }

  #valueOutcome(value: unknown): GuestOutcome {
    const encoded = encodePlainData(value, { maxSize: this.#options.limits.maxResultBytes });
    return encoded.ok
      ? { status: 'value', value: encoded.wire }
      : { status: 'not-data', problem: encoded.problem };
  }

  #thrownOutcome(thrown: unknown): GuestOutcome {
    const violation = isObject(thrown) ? this.#violations.get(thrown) : undefined;
    return { status: 'thrown', thrown: this.#thrownByGuest(thrown), violation: violation ?? null };
  }

  #thrownByGuest(thrown: unknown): ThrownByGuest {
    const maxChars = this.#options.limits.maxErrorChars;
    if (!isError(thrown)) {
      return { name: 'Thrown', message: describe(thrown, maxChars), line: null, column: null };
    }
    try {
      const name = nameOf(thrown).slice(0, 64);
      const message = describeError(thrown).slice(name.length + 2, name.length + 2 + maxChars);
      return { name, message, ...this.#placeOf(thrown) };
    } catch {
      return { name: 'Thrown', message: '[unreadable]', line: null, column: null }; // a proxy of the guest's
    }
  }

  #placeOf(error: Error): Place {
    const known = this.#places.get(error);
    if (known) return known;
    const stack = withoutConstructor(this.#options.realm.stackOf(error), error);
    const [, line, column] = PLACE.exec(stack) ?? [];
    return { line: line ? Number(line) : null, column: column ? Number(column) : null };
  }
}

const NO_COMPILER =
  'No code can be made of text here: write it out as a function, use JSON.parse for data, or a lookup in an object.';
/** SES hands them to every compartment; they are tools of those who build one. */
const FOREIGN_TO_GUESTS = { lockdown: undefined, harden: undefined };
/** Some 100 microseconds. */
const TURNS_AWAKE = 40;
const SOURCE_NAME = 'agent.js';
const PLACE = /\bagent\.js:(\d{1,7})(?::(\d{1,7}))?/;

/**
 * A stack from where an error of the program's own class was made, not from inside the class: SES takes the stack in the
 * constructor of Error, which a class calls by `super`.
 */
function withoutConstructor(stack: string, error: Error): string {
  const name = nameOfClass(error);
  const frames = stack.split('\n');
  const outside = frames.findIndex(
    (frame) => frame.includes('agent.js') && !/^\s*at new /.test(frame),
  );
  const last = frames.findLastIndex(
    (frame, index) =>
      index < outside && /^\s*at new (?:[\w$.]+\.)?([\w$]+) /.exec(frame)?.[1] === name,
  );
  return frames.slice(last + 1).join('\n');
}

function nameOfClass(error: Error): string {
  try {
    const own = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(error) ?? {}, 'constructor');
    return typeof own?.value === 'function' ? nameOf(own.value) : '';
  } catch {
    return ''; // a proxy of the guest's
  }
}

function named(name: string, message: string): Error {
  const error = new Error(message);
  Object.defineProperty(error, 'name', { value: name });
  return error;
}

/** As good as `harden` for objects of arrow functions, which is what is made for each run, and much cheaper. */
function freezeTwoLevels(objects: object): void {
  for (const value of Object.values(objects)) {
    if (Object.isFrozen(value)) continue;
    Object.freeze(value);
    if (typeof value === 'object') for (const member of Object.values(value)) Object.freeze(member);
  }
}

/** Far more than it takes to write one. */
const FRAMES_OF_A_MESSAGE = 150;

/** Overflows here and now where a program has left too little of the stack, and not in the middle of a message. */
function needStack(frames: number): number {
  return frames === 0 ? 0 : 1 + needStack(frames - 1);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isError(value: unknown): value is Error {
  try {
    return value instanceof Error;
  } catch {
    return false; // a trap, or a proxy of the guest's
  }
}
