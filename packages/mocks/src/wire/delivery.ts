/** What a caller gets of an answer, and how; every way to a mock brings about the same. */
export type Delivery =
  | {
      readonly kind: 'whole';
      readonly answer: Answer;
      /** How long the body takes, in ms; 0 when it comes at once. */
      readonly overMs: number;
    }
  /** The connection is lost in the middle of the body. */
  | { readonly kind: 'truncated'; readonly answer: Answer & { readonly text: string } }
  /** The connection is lost before an answer. */
  | { readonly kind: 'lost' };

/** An answer as it goes over the wire. */
export interface Answer {
  readonly status: number;
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON; undefined when there is no body. */
  readonly text: string | undefined;
}
