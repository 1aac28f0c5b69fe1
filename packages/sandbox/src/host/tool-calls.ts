import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Clock, describeFailure, redactText, type Tool, type ToolContext } from '@buddy/core';
import type { SandboxLimits } from '../options.ts';
import type { AnswerOutcome, ChildMessage } from '../protocol/messages.ts';
import { decodePlainData, encodePlainData, type Wire } from '../protocol/plain-data.ts';
import type { Journal, RecordedAnswer } from '../replay/journal.ts';
import type { CallRecord, PendingApproval } from '../run/result.ts';
import type { Violation } from '../violations/violation.ts';
import { checkedExecute } from './check-tool.ts';
import type { ConversationEnding } from './conversation.ts';

export interface ToolCallPorts {
  tools: ReadonlyMap<string, Tool>;
  limits: SandboxLimits;
  clock: Clock;
  /** What a tool is told, but for the key of the call. */
  context: Omit<ToolContext, 'idempotencyKey'>;
  /** Calls get this, a colon and their number as their idempotency key. */
  keyPrefix: string;
  journal: Journal;
  recorded: readonly RecordedAnswer[];
  /** The line of the guest's own code, for one that a child tells. */
  lineOf: (line: number | null) => number | null;
  /** Milliseconds since the run began. */
  elapsedMs: () => number;
  /** Does what the host does of its own when the child has had its turn. */
  inTurn: (act: () => void) => void;
  /** More are under way than may be, or no longer: the child has to wait meanwhile. */
  setFull: (isFull: boolean) => void;
  /** A call waits for a person. */
  approvalNeeded: () => void;
  denied: (violation: Violation) => void;
  /** An answer took more than the run may. */
  exceeded: (ending: ConversationEnding) => void;
  started: (call: CallRecord) => void;
  ended: (call: CallRecord) => void;
}

type CallMessage = Pick<Extract<ChildMessage, { type: 'call' }>, 'id' | 'tool' | 'input' | 'line'>;

interface Question {
  id: number;
  tool: Tool;
  input: unknown;
  text: string;
  record: CallRecord;
}

/** The tool calls of one run: each on the record, in their turn, so many at a time. */
export class ToolCalls {
  readonly pending: PendingApproval[] = [];
  readonly #ports: ToolCallPorts;
  readonly #records: CallRecord[] = [];
  /** As they were when nobody waited any more: what a tool answers to nobody is not in the result. */
  #closedRecords: readonly CallRecord[] | undefined;
  readonly #queue: Question[] = [];
  readonly #underWay = new Set<Promise<void>>();
  /** `draining`: what is under way is waited for, and written down; nothing begins. `closed`: nobody waits any more. */
  #phase: 'open' | 'draining' | 'closed' = 'open';
  #isFull = false;
  #spent = 0;

  constructor(ports: ToolCallPorts) {
    this.#ports = ports;
  }

  get records(): readonly CallRecord[] {
    return this.#closedRecords ?? this.#records;
  }

  get underWay(): number {
    return this.#underWay.size;
  }

  /** Takes in a call; what it does to the run, when it ends it. */
  hear({ id, tool: name, input: wire, line }: CallMessage): ConversationEnding | undefined {
    const { limits, tools, journal, lineOf, inTurn, denied, started } = this.#ports;
    const tool = tools.get(name);
    const decoded = decodePlainData(wire, { maxSize: limits.maxArgumentBytes });
    if (!tool) return { kind: 'misbehaved', reason: 'It called a tool that it was not handed' };
    if (!decoded.ok)
      return { kind: 'misbehaved', reason: `It sent an input whose ${decoded.problem.message}` };
    if (this.#records.length >= limits.maxToolCalls) {
      const used = this.#records.length + 1;
      return { kind: 'limit', limit: 'toolCalls', allowed: limits.maxToolCalls, used };
    }
    const over = this.#spend(decoded.size);
    if (over) return over;
    const text = questionText(name, wire);
    const record: CallRecord = {
      id,
      tool: name,
      input: decoded.value,
      line: lineOf(line),
      status: 'unanswered',
      error: null,
      durationMs: 0,
      isReplayed: false,
    };
    this.#records.push(record);
    switch (journal.ask(id, text)) {
      case 'out-of-order':
        return { kind: 'misbehaved', reason: 'It counted its questions wrong' };
      case 'diverged':
        return { kind: 'diverged' };
      case 'recorded': {
        record.isReplayed = true;
        const outcome = this.#ports.recorded.find((known) => known.id === id)?.outcome;
        note(record, outcome);
        if (outcome?.ok === false && outcome.violation) denied(outcome.violation);
        return undefined;
      }
      case 'new':
        started(record);
        this.#queue.push({ id, tool, input: decoded.value, text, record });
        inTurn(() => this.#startCalls());
        return undefined;
    }
  }

  /** All that is said in calls stays in memory until the run has ended: its result and its journal hold it. */
  #spend(size: number): ConversationEnding | undefined {
    const allowed = this.#ports.limits.maxCallBytes;
    this.#spent += size;
    if (this.#spent <= allowed) return undefined;
    return { kind: 'limit', limit: 'callBytes', allowed, used: this.#spent };
  }

  /** Waits for the calls that are under way: they happen, so they have to be on the record. */
  async drain(): Promise<void> {
    this.#phase = 'draining';
    await nextTurn(); // a tool that throws at once is not under way yet
    await Promise.allSettled(this.#underWay);
  }

  close(): void {
    this.#phase = 'closed';
    this.#closedRecords = this.#records.map((record) => ({ ...record }));
  }

  #startCalls(): void {
    const { limits, setFull } = this.#ports;
    if (this.#phase !== 'open') return;
    while (this.#underWay.size < limits.maxToolCallsInFlight) {
      const question = this.#queue.shift();
      if (!question) break;
      const call = this.#call(question).finally(() => {
        this.#underWay.delete(call);
        this.#startCalls();
      });
      this.#underWay.add(call);
    }
    const isFull = this.#underWay.size >= limits.maxToolCallsInFlight;
    if (isFull === this.#isFull) return;
    this.#isFull = isFull;
    setFull(isFull);
  }

  async #call({ id, tool, input, text, record }: Question): Promise<void> {
    const { clock, context, keyPrefix, journal, elapsedMs, ended } = this.#ports;
    const startedAt = clock.monotonic();
    let outcome: AnswerOutcome | undefined;
    let size = 0;
    try {
      const output = await checkedExecute(tool)(input, {
        ...context,
        idempotencyKey: `${keyPrefix}:${id}`,
      });
      ({ outcome, size } = this.#outcomeOf(tool.name, output));
    } catch (error) {
      outcome = this.#failureOf(error, record);
    }
    record.durationMs = clock.monotonic() - startedAt;
    note(record, outcome);
    this.#charge(outcome, size); // may end the run, and so comes after the note
    ended(record);
    if (!outcome) journal.wait(id, text);
    if (!outcome || this.#phase === 'closed') return;
    if (this.#phase === 'draining') journal.keep(id, text, outcome, elapsedMs());
    else journal.answer(id, text, outcome, elapsedMs());
  }

  #charge(outcome: AnswerOutcome | undefined, size: number): void {
    const { exceeded, denied } = this.#ports;
    const over = this.#spend(size);
    if (over) exceeded(over);
    const violation = outcome?.ok === false ? outcome.violation : null;
    if (violation && this.#phase !== 'closed') denied(violation);
  }

  #outcomeOf(tool: string, output: unknown): { outcome: AnswerOutcome; size: number } {
    const encoded = encodePlainData(output, { maxSize: this.#ports.limits.maxArgumentBytes });
    if (encoded.ok) return { outcome: { ok: true, value: encoded.wire }, size: encoded.size };
    const message = `${tool} was done, but its output's ${encoded.problem.message}`;
    return { outcome: { ok: false, name: 'ToolOutputError', message, violation: null }, size: 0 };
  }

  /** Nothing, when the call waits for a person: then the run is paused. */
  #failureOf(error: unknown, record: CallRecord): AnswerOutcome | undefined {
    const { name, message, code } = describeFailure(error);
    const approvalId: unknown =
      code === 'CORE_APPROVAL_REQUIRED' ? Reflect.get(Object(error), 'approvalId') : undefined;
    if (typeof approvalId === 'string') {
      record.status = 'approval-required';
      this.pending.push({ tool: record.tool, input: record.input, approvalId });
      this.#ports.approvalNeeded();
      return undefined;
    }
    const said = redactText(message).slice(0, this.#ports.limits.maxErrorChars);
    const violation: Violation | null =
      code === 'CORE_TOOL_DENIED'
        ? { type: 'TOOL_DENIED', details: said.slice(0, 1_000), line: record.line }
        : null;
    return { ok: false, name: name.slice(0, 64), message: said, violation };
  }
}

/** What is compared when a run is replayed; the whole text of a long one would be kept a second time. */
function questionText(tool: string, input: Wire): string {
  const text = JSON.stringify(input);
  if (text.length <= LONGEST_QUESTION) return `${tool} ${text}`;
  return `${tool} sha256 ${createHash('sha256').update(text).digest('base64url')}`;
}

const LONGEST_QUESTION = 1_024;

function note(record: CallRecord, outcome: AnswerOutcome | undefined): void {
  if (!outcome) return;
  if (outcome.ok) {
    record.status = 'ok';
    return;
  }
  record.status = outcome.violation ? 'denied' : 'error';
  record.error = outcome.message;
}
