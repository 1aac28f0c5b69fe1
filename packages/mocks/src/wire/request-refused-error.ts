import { BuddyError } from '@buddy/core';
import type { WireResponse } from './message.ts';

/** A provider's way out of whatever it was doing, with the answer to give. Never leaves the provider. */
export class RequestRefusedError extends BuddyError {
  readonly code = 'MOCKS_REQUEST_REFUSED';
  readonly answer: WireResponse;

  constructor(answer: WireResponse) {
    super(`Refused with ${answer.status}`);
    this.answer = answer;
  }
}
