/**
 * Lets work be done one piece at a time, in the order of the calls. A piece that fails does not hold up the next: whoever
 * asked for it is told.
 * @example
 * const inTurn = oneAtATime();
 * await Promise.all([inTurn(() => stop(service)), inTurn(() => start(service))]); // it runs
 */
export function oneAtATime(): <Result>(work: () => Promise<Result>) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const done = last.then(work);
    last = done.catch(() => undefined); // told through `done`
    return done;
  };
}
