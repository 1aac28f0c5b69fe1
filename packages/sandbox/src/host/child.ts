import type { ChildProcess } from 'node:child_process';
import { ChildMessage } from '../protocol/child-message.ts';
import { BadFrameError, encodeFrame, FrameReader } from '../protocol/frame.ts';
import type { ChildMessage as ChildMessageType, HostMessage } from '../protocol/messages.ts';
import {
  deepestDescendant,
  hasProc,
  type ProcessUsage,
  ProcReader,
  readPsUsage,
} from './process-usage.ts';

/** How a child ended. */
export type ChildEnd =
  | { kind: 'exited'; code: number | null; signal: NodeJS.Signals | null; lastWords: string }
  /** It sent what no child of ours sends: whatever runs in it is not our program any more. */
  | { kind: 'misbehaved'; reason: string };

export interface ChildListener {
  message(message: ChildMessageType): void;
  ended(end: ChildEnd): void;
}

const LAST_WORDS_CHARS = 4_096;

/** One child process: messages in and out, and its end. It believes nothing of what comes out. */
export class Child {
  readonly #process: ChildProcess;
  readonly #reader: FrameReader;
  #listener: ChildListener | undefined;
  #end: ChildEnd | undefined;
  #lastWords = '';
  #proc: ProcReader | undefined;

  constructor(process: ChildProcess, maxFrameBytes: number) {
    this.#process = process;
    this.#reader = new FrameReader(maxFrameBytes);
    process.stdout?.on('data', (bytes: Buffer) => this.#read(bytes));
    process.stderr?.on('data', (bytes: Buffer) => {
      if (this.#lastWords.length < LAST_WORDS_CHARS) this.#lastWords += bytes.toString('latin1');
    });
    // A child may die while it is written to: its `close` tells of it.
    for (const stream of process.stdio) stream?.on('error', () => undefined);
    process.on('error', (error) =>
      this.#finish({ kind: 'exited', code: null, signal: null, lastWords: error.message }),
    );
    process.on('close', (code, signal) =>
      this.#finish({
        kind: 'exited',
        code,
        signal,
        lastWords: this.#lastWords.slice(0, LAST_WORDS_CHARS),
      }),
    );
  }

  get end(): ChildEnd | undefined {
    return this.#end;
  }

  /** Hands all that comes to one listener, from now on. */
  listen(listener: ChildListener | undefined): void {
    this.#listener = listener;
    if (this.#end) listener?.ended(this.#end);
  }

  send(message: HostMessage): void {
    if (this.#end) return;
    this.#process.stdin?.write(encodeFrame(message));
  }

  /** Stops reading: a child that goes on talking blocks when its pipe is full. */
  pause(): void {
    this.#process.stdout?.pause();
  }

  resume(): void {
    if (!this.#end) this.#process.stdout?.resume();
  }

  /** Keeps the host's event loop alive, or does not: an idle child must not keep a program from ending. */
  keepHostAlive(keep: boolean): void {
    const verb = keep ? 'ref' : 'unref';
    this.#process[verb]();
    for (const stream of this.#process.stdio) {
      const method: unknown = stream && Reflect.get(stream, verb);
      if (typeof method === 'function') Reflect.apply(method, stream, []);
    }
  }

  /** Ends the process and all that it started. Nothing it says is heard any more. */
  kill(): void {
    this.#listener = undefined;
    this.#finish({ kind: 'exited', code: null, signal: 'SIGKILL', lastWords: '' });
    const { pid } = this.#process;
    if (pid === undefined || this.#process.exitCode !== null || this.#process.signalCode !== null)
      return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      this.#process.kill('SIGKILL'); // no group of its own (Windows), or not yet
    }
    this.#process.stdout?.destroy();
    this.#process.stderr?.destroy();
    this.#process.stdin?.destroy();
    this.#process.unref();
  }

  /** Undefined when the process is gone. */
  usage(): ProcessUsage | undefined | Promise<ProcessUsage | undefined> {
    const { pid } = this.#process;
    if (pid === undefined || this.#end) return undefined;
    if (!hasProc) return readPsUsage(pid);
    try {
      this.#proc ??= new ProcReader(deepestDescendant(pid));
    } catch {
      return undefined; // gone between two looks
    }
    return this.#proc.read();
  }

  #read(bytes: Buffer): void {
    if (this.#end) return;
    try {
      for (const frame of this.#reader.push(bytes)) {
        if (this.#end) return;
        const parsed = ChildMessage.safeParse(frame);
        if (!parsed.success) throw new BadFrameError('A message has a form that no child sends');
        this.#listener?.message(parsed.data);
      }
    } catch (error) {
      if (!(error instanceof BadFrameError)) throw error;
      const listener = this.#listener;
      const end: ChildEnd = { kind: 'misbehaved', reason: error.message };
      this.kill();
      this.#end = end;
      listener?.ended(end);
    }
  }

  #finish(end: ChildEnd): void {
    if (this.#end) return;
    this.#end = end;
    this.#proc?.[Symbol.dispose]();
    this.#listener?.ended(end);
  }
}
