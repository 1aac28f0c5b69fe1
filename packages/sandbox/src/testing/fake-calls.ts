import {
  type BuddyError,
  describeFailure,
  extendContext,
  redactText,
  type Tool,
  type ToolContext,
} from '@buddy/core';
import { checkedExecute } from '../host/check-tool.ts';
import type { AnswerOutcome } from '../protocol/messages.ts';
import { decodePlainData, encodePlainData } from '../protocol/plain-data.ts';
import type { RecordedAnswer, WaitingQuestion } from '../replay/journal.ts';
import type { CallRecord, PendingApproval } from '../run/result.ts';
import type { Violation } from '../violations/violation.ts';

export interface FakeCallPorts {
  tools: readonly Tool[];
  context: ToolContext;
  /** What the run was answered before it was paused. */
  recorded: readonly RecordedAnswer[];
  started: (call: CallRecord) => void;
  ended: (call: CallRecord) => void;
  denied: (violation: Violation) => void;
}

const MAX_SIZE = 8_388_608;

/** The tool calls of one fake run: answered from the record where it has them, and stopped where a person has to agree. */
export class FakeCalls {
  readonly records: CallRecord[] = [];
  readonly pending: PendingApproval[] = [];
  readonly answers: RecordedAnswer[];
  readonly waiting: WaitingQuestion[] = [];
  readonly #ports: FakeCallPorts;
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #violationOf = new WeakMap<object, Violation>();
  readonly #paused = Promise.withResolvers<void>();

  constructor(ports: FakeCallPorts) {
    this.#ports = ports;
    this.answers = [...ports.recorded];
  }

  /** Resolves when a call waits for a person and all that was under way beside it is on the record. */
  async paused(): Promise<void> {
    await this.#paused.promise;
    await Promise.allSettled(this.#underWay);
  }

  /** What a program that threw this was denied. */
  violationOf(thrown: unknown): Violation | undefined {
    return typeof thrown === 'object' && thrown !== null
      ? this.#violationOf.get(thrown)
      : undefined;
  }

  async call(name: string, input: unknown): Promise<unknown> {
    if (this.pending.length > 0) return never(); // the program is stopped; that it runs on is only the fake's
    const { tools, recorded, started } = this.#ports;
    const tool = tools.find((known) => known.name === name);
    if (!tool) throw new Error(`The fake sandbox was handed no tool ${name}`);
    const id = this.records.length + 1;
    const question = `${name} ${JSON.stringify(wireOf(input))}`;
    const known = recorded.find((answer) => answer.id === id);
    const call: CallRecord = {
      id,
      tool: name,
      input,
      line: null,
      status: 'unanswered',
      error: null,
      durationMs: 0,
      isReplayed: known !== undefined,
    };
    this.records.push(call);
    if (known) return this.#settle(call, known.outcome);
    started(call);
    const asking = this.#ask(tool, call);
    this.#underWay.add(asking);
    const outcome = await asking;
    if (!outcome) {
      this.waiting.push({ id, question });
      this.#paused.resolve();
      return never();
    }
    this.answers.push({ id, question, outcome, elapsedMs: 0, afterQuestions: id });
    return this.#settle(call, outcome);
  }

  /** Nothing, when the call waits for a person. */
  async #ask(tool: Tool, call: CallRecord): Promise<AnswerOutcome | undefined> {
    const { context, ended } = this.#ports;
    const idempotencyKey = `${context.idempotencyKey}:${call.id}`;
    try {
      const output = await checkedExecute(tool)(
        call.input,
        extendContext(context, { idempotencyKey }),
      );
      call.status = 'ok';
      return { ok: true, value: wireOf(output) };
    } catch (error) {
      return this.#failureOf(error, call);
    } finally {
      ended(call);
    }
  }

  #failureOf(error: unknown, call: CallRecord): AnswerOutcome | undefined {
    const { name, message, code } = describeFailure(error);
    const approvalId: unknown = Reflect.get(Object(error), 'approvalId');
    if (code === NEEDS_APPROVAL && typeof approvalId === 'string') {
      call.status = 'approval-required';
      this.pending.push({ tool: call.tool, input: call.input, approvalId });
      return undefined;
    }
    const said = redactText(message);
    call.status = code === DENIED ? 'denied' : 'error';
    call.error = said;
    const violation: Violation | null =
      code === DENIED ? { type: 'TOOL_DENIED', details: said.slice(0, 1_000), line: null } : null;
    return { ok: false, name, message: said, violation };
  }

  /** As the program sees it: a value, or an error that has nothing of the host's but its name and words. */
  #settle(call: CallRecord, outcome: AnswerOutcome): unknown {
    if (outcome.ok) {
      call.status = 'ok';
      const decoded = decodePlainData(outcome.value, { maxSize: MAX_SIZE });
      if (!decoded.ok) throw new Error(`The recorded ${decoded.problem.message}`);
      return decoded.value;
    }
    const { name, message, violation } = outcome;
    call.status = violation ? 'denied' : 'error';
    call.error = message;
    const error = Object.assign(new Error(message), { name });
    if (violation) {
      this.#violationOf.set(error, violation);
      this.#ports.denied(violation);
    }
    throw error;
  }
}

const NEEDS_APPROVAL: BuddyError['code'] = 'CORE_APPROVAL_REQUIRED';
const DENIED: BuddyError['code'] = 'CORE_TOOL_DENIED';

/** @throws {TypeError} For what is no plain data: a real sandbox could not hand it over either. */
function wireOf(value: unknown): Extract<AnswerOutcome, { ok: true }>['value'] {
  const encoded = encodePlainData(value, { maxSize: MAX_SIZE });
  if (!encoded.ok) throw new TypeError(`The ${encoded.problem.message}`);
  return encoded.wire;
}

function never(): Promise<never> {
  return Promise.withResolvers<never>().promise;
}
