import { hasShell, type LaunchPlan, nodeFlags } from '../host/launch.ts';
import { hasProc } from '../host/process-usage.ts';
import type { SandboxOptions } from '../options.ts';

export interface Layer {
  /** As the README numbers them. */
  number: 0 | 1 | 2 | 3 | 4 | 5 | 6;
  name: string;
  isActive: boolean;
  /** What enforces it here, or why it is missing. */
  by: string;
}

export interface SandboxReport {
  node: string;
  platform: string;
  layers: readonly Layer[];
  /** What keeps a child that broke out of its compartment off the network: `capability-only` is nothing. */
  network: 'permission+namespace' | 'permission' | 'namespace' | 'capability-only';
  /** Whether children start from a snapshot, which makes them cheaper and nothing else; `details`: where it is, or why not. */
  startupSnapshot: { isActive: boolean; details: string };
  flags: readonly string[];
  /** Flags of ours that this Node does not know. */
  missingFlags: readonly string[];
}

export function layersOf(
  { limits }: SandboxOptions,
  plan: LaunchPlan,
  snapshotDetails: string,
): SandboxReport {
  const flags = nodeFlags(plan);
  const hasNetPermission = Number(process.versions.node.split('.', 1)[0]) >= 25;
  return {
    node: process.versions.node,
    platform: process.platform,
    layers: [
      { number: 0, name: 'source gate', isActive: true, by: 'acorn' },
      {
        number: 1,
        name: 'compartment',
        isActive: true,
        by: 'SES lockdown, a fresh Compartment for each run',
      },
      {
        number: 2,
        name: 'empty start realm',
        isActive: true,
        by: 'host globals deleted, module hooks refuse',
      },
      {
        number: 3,
        name: 'process',
        isActive: true,
        by: `Node permission model, empty environment${hasNetPermission ? '' : '; no network permission before Node 25'}`,
      },
      {
        number: 4,
        name: 'limits',
        isActive: true,
        by: [
          hasShell ? 'rlimits' : 'no rlimits (no /bin/sh)',
          `watchdog by ${hasProc ? '/proc every 10 ms' : 'ps every 100 ms'}`,
          `${limits.wallMs} ms`,
          `${limits.memoryMb} MB`,
        ].join(', '),
      },
      {
        number: 5,
        name: 'namespace',
        isActive: plan.inNamespace,
        by: plan.inNamespace
          ? 'unshare: user, network, pid, ipc, uts'
          : 'switched off, or not available on this host',
      },
      {
        number: 6,
        name: 'host side',
        isActive: true,
        by: 'framed pipes, checked messages, budgets, SIGUSR1 guard',
      },
    ],
    network: hasNetPermission
      ? plan.inNamespace
        ? 'permission+namespace'
        : 'permission'
      : plan.inNamespace
        ? 'namespace'
        : 'capability-only',
    startupSnapshot: { isActive: plan.snapshot !== undefined, details: snapshotDetails },
    flags,
    missingFlags: [...plan.unknownFlags],
  };
}
