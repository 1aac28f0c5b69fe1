import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureChild } from '../measure/child.ts';
import type { Figure } from '../measure/figure.ts';

const TASKS = 1_000_000;
const WAVES = 10;

/** Whether memory stays bounded when a run does not. */
export async function measureMillion(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'buddy-bench-million-'));
  try {
    const program = new URL('../children/many-tasks.ts', import.meta.url);
    const { wallMs, peakMb, stdout } = await measureChild(program, [
      folder,
      String(TASKS),
      String(WAVES),
    ]);
    if (Number(stdout) !== TASKS) throw new Error(`${stdout} tasks were done instead of ${TASKS}`);
    return [
      {
        name: `peak memory, resident, ${WAVES} waves`,
        unit: 'MB',
        measured: peakMb,
        target: { is: 'at most', value: 1_536 },
      },
      { name: 'wall time', unit: 's', measured: wallMs / 1000 },
      { name: 'per task', unit: 'us', measured: (wallMs * 1000) / TASKS },
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
