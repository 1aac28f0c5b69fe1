import { readFileSync, readlinkSync } from 'node:fs';
import { hasShell, type LaunchPlan } from '../host/launch.ts';
import { deepestDescendant, hasProc } from '../host/process-usage.ts';
import type { Check } from './doctor.ts';

/** What the kernel says of a child that runs: its rlimits and its namespaces. Nothing, where there is no /proc. */
export function checkFromOutside(
  launcher: number,
  { cpuSeconds, inNamespace }: Pick<LaunchPlan, 'cpuSeconds' | 'inNamespace'>,
): Check[] {
  if (!hasProc) return [];
  const pid = deepestDescendant(launcher);
  return [
    ...(hasShell ? [checkRlimits(readFileSync(`/proc/${pid}/limits`, 'latin1'), cpuSeconds)] : []),
    ...(inNamespace ? [checkNamespaces(pid)] : []),
  ];
}

function checkRlimits(limits: string, cpuSeconds: number): Check {
  const wanted = { 'cpu time': cpuSeconds, 'open files': 64, 'file size': 0, 'core file size': 0 };
  const missing = Object.entries(wanted).filter(([name, value]) => {
    const [, soft, hard] = new RegExp(`^Max ${name} +(\\S+) +(\\S+)`, 'm').exec(limits) ?? [];
    return soft !== String(value) || hard !== String(value);
  });
  const names = Object.keys(missing.length > 0 ? Object.fromEntries(missing) : wanted).join(', ');
  return {
    layer: 'limits',
    name: 'run without rlimits',
    isHeld: missing.length === 0,
    details: `${missing.length > 0 ? 'not set' : 'set'}: ${names}`,
  };
}

function checkNamespaces(pid: number): Check {
  const shared = ['user', 'net', 'pid', 'ipc', 'uts'].filter(
    (kind) => readlinkSync(`/proc/${pid}/ns/${kind}`) === readlinkSync(`/proc/self/ns/${kind}`),
  );
  return {
    layer: 'namespace',
    name: "share the host's namespaces",
    isHeld: shared.length === 0,
    details: shared.length > 0 ? `shared: ${shared.join(', ')}` : 'none is shared',
  };
}
