import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock, seededRandom } from '@buddy/core';
import {
  type BotConfig,
  type BotRegistry,
  createBotRegistry,
  type RegistryPorts,
} from '@buddy/bots';
import { onTestFinished } from 'vitest';

/** A folder that is gone after the test. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'buddy-bots-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface World {
  file: string;
  clock: ManualClock;
  registry: BotRegistry;
  /** The same file, as another process has it. */
  open: (ports?: RegistryPorts) => BotRegistry;
}

export function newWorld(): World {
  const file = join(newFolder(), 'bots.json');
  const clock = new ManualClock();
  const open = (ports: RegistryPorts = {}) =>
    createBotRegistry({ file }, { clock, random: seededRandom(5), ...ports });
  return { file, clock, open, registry: open() };
}

export function config(id: string, more: Partial<BotConfig> = {}): BotConfig {
  return { id, role: 'worker', deployment: { command: 'node' }, ...more };
}
