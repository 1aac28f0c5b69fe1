/** Where a start-up snapshot keeps the function that goes on from it. */
export const KEPT = Symbol.for('@buddy/sandbox');
