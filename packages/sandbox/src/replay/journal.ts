import type { AnswerOutcome } from '../protocol/messages.ts';

/** One answer that a program was given, and when: the only things that a program can learn from outside. */
export interface RecordedAnswer {
  /** Which of the program's questions it answers, from 1. */
  id: number;
  /** The question, word for word: a replay that asks another one is not a replay. */
  question: string;
  outcome: AnswerOutcome;
  elapsedMs: number;
  /** How many questions had been asked when the answer went out. */
  afterQuestions: number;
}

/** A question whose answer waits for a person. */
export type WaitingQuestion = Pick<RecordedAnswer, 'id' | 'question'>;

export type Deliver = (answer: RecordedAnswer) => void;

/**
 * Puts the answers to a program's questions in one order and writes it down.
 *
 * A program is a function of its source, input, seed, clock and the answers in their order. Handing out recorded answers
 * in the recorded order, each not before the program has asked as much as it had then, brings it to the very same place.
 */
export class Journal {
  readonly #recorded: readonly RecordedAnswer[];
  readonly #known: ReadonlyMap<number, string>;
  readonly #deliver: Deliver;
  readonly #delivered: RecordedAnswer[] = [];
  readonly #live: RecordedAnswer[] = [];
  readonly #kept: RecordedAnswer[] = [];
  readonly #waiting: WaitingQuestion[] = [];
  #questions = 0;
  #elapsedMs = 0;

  constructor(
    {
      recorded,
      waiting,
    }: { recorded: readonly RecordedAnswer[]; waiting: readonly WaitingQuestion[] },
    deliver: Deliver,
  ) {
    this.#recorded = recorded;
    this.#known = new Map([...recorded, ...waiting].map(({ id, question }) => [id, question]));
    this.#deliver = deliver;
  }

  /** All answers so far, those that did not go out last: they happened too. */
  get answers(): readonly RecordedAnswer[] {
    return [
      ...this.#delivered,
      ...this.#recorded.slice(this.#delivered.length),
      ...this.#live,
      ...this.#kept,
    ];
  }

  /** Questions of this run that wait for a person. */
  get waiting(): readonly WaitingQuestion[] {
    return this.#waiting;
  }

  /** Takes note of a question: whether its answer is on record, is not, or the program took another way than before. */
  ask(id: number, question: string): 'recorded' | 'new' | 'diverged' | 'out-of-order' {
    if (id !== this.#questions + 1) return 'out-of-order';
    this.#questions = id;
    if ((this.#known.get(id) ?? question) !== question) return 'diverged';
    this.#handOut();
    return this.#recorded.some((answer) => answer.id === id) ? 'recorded' : 'new';
  }

  /** A live answer; it goes out when all recorded ones have. */
  answer(id: number, question: string, outcome: AnswerOutcome, elapsedMs: number): void {
    this.#live.push({ id, question, outcome, elapsedMs, afterQuestions: 0 });
    this.#handOut();
  }

  /** The answer `answer` would have handed out, for the record only. */
  keep(id: number, question: string, outcome: AnswerOutcome, elapsedMs: number): void {
    this.#kept.push({ id, question, outcome, elapsedMs, afterQuestions: this.#questions });
  }

  /** No answer yet: it waits for a person. */
  wait(id: number, question: string): void {
    this.#waiting.push({ id, question });
  }

  #handOut(): void {
    for (;;) {
      const next = this.#recorded[this.#delivered.length] ?? this.#live.shift();
      if (!next) return;
      const isRecorded = this.#delivered.length < this.#recorded.length;
      if (isRecorded && (next.afterQuestions > this.#questions || next.id > this.#questions))
        return;
      this.#elapsedMs = Math.max(this.#elapsedMs, next.elapsedMs);
      const answer = {
        ...next,
        elapsedMs: this.#elapsedMs,
        afterQuestions: isRecorded ? next.afterQuestions : this.#questions,
      };
      this.#delivered.push(answer);
      this.#deliver(answer);
    }
  }
}
