import { type JsonLinesAppender, openJsonLinesAppender, redactText } from '@buddy/core';
import type { Violation, ViolationType } from './violation.ts';

/** One violation as it is kept: one line of JSON. */
export interface ViolationRecord {
  /** ISO 8601, UTC. */
  timestamp: string;
  execution_id: string;
  violation_type: ViolationType;
  details: string;
  /** The first 200 characters of the code, with secrets removed and control characters escaped. */
  code_preview: string;
}

/** Where violations are kept. */
export interface ViolationLog {
  append(record: ViolationRecord): void | Promise<void>;
}

const PREVIEW_CHARS = 200;

export function violationRecord(
  violation: Violation,
  executionId: string,
  code: string,
  at: number,
): ViolationRecord {
  return {
    timestamp: new Date(at).toISOString(),
    execution_id: executionId,
    violation_type: violation.type,
    details: escapeControls(redactText(violation.details)),
    code_preview: escapeControls(redactText(code.slice(0, 4 * PREVIEW_CHARS)))
      .slice(0, PREVIEW_CHARS)
      .toWellFormed(),
  };
}

/** Nothing in a record may move a terminal's cursor, hide text or start a line. */
function escapeControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => {
    const short = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[character];
    return short ?? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
}

/** A log in a file of JSON Lines, made when there is something to log. */
export class FileViolationLog implements ViolationLog {
  readonly #path: string;
  #appender: Promise<JsonLinesAppender> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  async append(record: ViolationRecord): Promise<void> {
    const opening = (this.#appender ??= openJsonLinesAppender(this.#path, { mode: 0o600 }));
    // A disk that was full, or a folder that was missing, may be mended by the next time.
    opening.catch(() => {
      if (this.#appender === opening) this.#appender = undefined;
    });
    await (await opening).append(record);
  }

  async close(): Promise<void> {
    await (await this.#appender)?.close();
  }
}
