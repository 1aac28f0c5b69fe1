import { reject } from './code-frame.ts';
import { GateThread, type GateThreadOptions } from './gate-thread.ts';
import type { GuestSource, RejectedSource } from './guest-source.ts';
import {
  type GuestSourceOptions,
  prepareJavaScriptSource,
  rejectTooLarge,
} from './prepare-guest-source.ts';

/**
 * The gate without a wait for the host's thread: what could take longer than a few milliseconds is read in another one.
 * Short JavaScript is read at once, for the way to the thread and back would take longer.
 */
export class SourceGate {
  readonly #thread: GateThread;

  constructor(options: GateThreadOptions = {}) {
    this.#thread = new GateThread(options);
  }

  /**
   * As `prepareGuestSource`; a text that takes longer than the deadline is rejected.
   * @throws {SandboxStartError} When the text needs the thread, and that cannot be started.
   * @throws The reason of `signal`, at once.
   */
  async prepare(
    text: string,
    options: GuestSourceOptions,
    signal: AbortSignal,
  ): Promise<GuestSource> {
    const tooLarge = rejectTooLarge(text, options);
    if (tooLarge) return tooLarge;
    const prepared = isBriefToRead(text) ? prepareJavaScriptSource(text, options) : undefined;
    if (prepared) return prepared;
    const outcome = await this.#thread.prepare(text, options, signal);
    return typeof outcome === 'string' ? rejectUnread(text, outcome) : outcome;
  }

  /** Ends the thread; the next text that needs one starts another. */
  close(): void {
    this.#thread.close();
  }
}

/** One thread serves all sandboxes of a process. */
export const sourceGate = new SourceGate();

/** The worst text of this length took 6 ms of a slow processor at first, and less than 1 when met again. */
const MAX_BRIEF_CHARS = 2_048;
/** The engine takes up to 5 ms to read one of these in a regular expression. */
const UNICODE_PROPERTY = /\\p/i;

function isBriefToRead(text: string): boolean {
  return text.length <= MAX_BRIEF_CHARS && !UNICODE_PROPERTY.test(text);
}

function rejectUnread(text: string, why: 'too-slow' | 'broken'): RejectedSource {
  return reject(text, 0, {
    kind: 'unsupported',
    message: why === 'too-slow' ? 'The code takes too long to read' : 'The code could not be read',
    hint: 'Write it shorter and plainer; pass large data as `input`.',
  });
}
