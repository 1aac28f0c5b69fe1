import { channel } from 'node:diagnostics_channel';
import type { Provider } from '../errors.ts';
import type { Answer } from './delivery.ts';
import type { WireRequest } from './message.ts';

/** What is told on the channel `buddy:mocks:answer`: every answer that a provider gives, also one that never arrives. */
export interface GivenAnswer {
  provider: Provider;
  request: WireRequest;
  answer: Answer;
}

const answers = channel('buddy:mocks:answer');

/** Costs nothing unless somebody listens. */
export function tellAnswer(given: GivenAnswer): void {
  if (answers.hasSubscribers) answers.publish(given);
}
