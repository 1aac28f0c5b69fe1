import { bombs, escapes, loops } from './attempts/index.ts';
import { describeLane, LITTLE_TIME } from './describe-lane.ts';

const BOMB_LIMIT_MB = 64;

describeLane('a sandbox with a process for each run', {
  attempts: escapes,
  input: { isolation: 'process', limits: { wallMs: 4_000 } },
  isConcurrent: true,
});

describeLane('a sandbox with a process for each run, and little time', {
  attempts: loops,
  input: { isolation: 'process', limits: LITTLE_TIME },
  isConcurrent: true,
});

describeLane('a sandbox with a process for each run, and little memory', {
  attempts: bombs,
  input: { isolation: 'process', limits: { wallMs: 2_000, cpuMs: 600, memoryMb: BOMB_LIMIT_MB } },
  isConcurrent: true,
  // An empty child holds about 60 MB; the bound of the promise is 256 beyond its limit.
  maxMemoryMb: BOMB_LIMIT_MB + 256,
});
