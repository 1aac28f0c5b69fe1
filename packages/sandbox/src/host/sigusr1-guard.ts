let holders = 0;

/** A listener of ours, so that Node does not answer the signal by opening its inspector. */
function ignore(): void {}

/**
 * Keeps this process's inspector shut while any sandbox is open: a child that broke out of everything else could still
 * send SIGUSR1 to its parent, and take it over through the port that Node then opens.
 */
export function guardAgainstSigusr1(): Disposable {
  if (process.platform === 'win32') return { [Symbol.dispose]: () => undefined };
  if (holders === 0) process.on('SIGUSR1', ignore);
  holders += 1;
  let isHeld = true;
  return {
    [Symbol.dispose]: () => {
      if (!isHeld) return;
      isHeld = false;
      holders -= 1;
      if (holders === 0) process.off('SIGUSR1', ignore);
    },
  };
}
