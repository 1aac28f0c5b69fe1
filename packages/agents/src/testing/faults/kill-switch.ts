import { kill, pid } from 'node:process';

/**
 * Where a process is when it passes a point: `before` anything is done, when it was `sent` and is not answered, `within` what is
 * not committed yet, and `after` it is there to stay and before anybody is told.
 */
export type Moment = 'before' | 'sent' | 'within' | 'after';

/** Kills its own process, as by `kill -9`, at the point that it was made for. */
export interface KillSwitch {
  pass(what: string, moment: Moment): void;
}

/**
 * @param point As `recorded:2:before`: what, which time from 1, and which moment of it. An empty one is never passed.
 * @example
 * const killSwitch = createKillSwitch('recorded:1:after');
 * killSwitch.pass('recorded', 'before'); // nothing happens
 * killSwitch.pass('recorded', 'after'); // does not return
 */
export function createKillSwitch(point: string): KillSwitch {
  const [name, count, when] = point.split(':');
  let left = Number(count);
  return {
    pass: (what, moment) => {
      if (what === name && moment === when && --left === 0) die();
    },
  };
}

function die(): never {
  kill(pid, 'SIGKILL');
  for (;;); // the signal may take a moment, and nothing may happen in it
}
