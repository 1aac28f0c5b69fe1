import type { Clock } from '@buddy/core';

/** Whether a bearer token is let in now. Asked at each call, so that tokens can be taken back while the mock is there. */
export type IsAdmitted = (token: string) => boolean;

export interface MockPorts {
  clock?: Clock;
  /** Default: what the options say. Where both say something, a token has to be good by both. */
  isAdmitted?: IsAdmitted;
}
