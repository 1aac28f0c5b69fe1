import { stringifyJsonLine } from '@buddy/core';
import type { Output } from './output.ts';
import { PathUses } from './path-uses.ts';

/**
 * An output that keeps everything in memory, for tests and for callers that only want the numbers.
 * @example
 * const output = new MemoryOutput();
 * output.append('phase21/events.jsonl', { type: 'runStarted' });
 * output.files.get('phase21/events.jsonl'); // '{"type":"runStarted"}\n'
 */
export class MemoryOutput implements Output {
  /** What each file holds, by path, in the order in which they were made. */
  readonly files = new Map<string, string>();
  readonly isCongested = false;
  readonly #uses = new PathUses();

  append(path: string, record: object): void {
    this.#uses.note(path, 'appended');
    this.files.set(path, (this.files.get(path) ?? '') + stringifyJsonLine(record));
  }

  async write(path: string, text: string): Promise<void> {
    this.#uses.note(path, 'written');
    this.files.set(path, text);
  }

  async flush(): Promise<void> {
    // nothing is buffered
  }

  async close(): Promise<void> {
    this.#uses.close();
  }
}
