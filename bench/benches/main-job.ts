import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureChild } from '../measure/child.ts';
import type { Figure } from '../measure/figure.ts';
import { summary } from '../measure/rounds.ts';

const ROUNDS = 3;

/** The run that a newcomer sees first. */
export async function measureMainJob(): Promise<Figure[]> {
  const seconds: number[] = [];
  const peaksMb: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const folder = await mkdtemp(join(tmpdir(), 'buddy-bench-main-'));
    try {
      const program = new URL('../../examples/orchestrator.ts', import.meta.url);
      const { wallMs, peakMb } = await measureChild(program, [
        '--out',
        join(folder, 'run'),
        '--json',
      ]);
      seconds.push(wallMs / 1000);
      peaksMb.push(peakMb);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  return [
    { name: 'wall time', unit: 's', ...summary(seconds), target: { is: 'at most', value: 20 } },
    {
      name: 'peak memory, resident',
      unit: 'MB',
      ...summary(peaksMb),
      target: { is: 'at most', value: 400 },
    },
  ];
}
