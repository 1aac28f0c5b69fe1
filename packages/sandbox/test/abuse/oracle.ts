/**
 * What an attempt can do to a host:
 * - `leak`: a secret or a path of the host is in something that the run gave out;
 * - `connection`: a server or socket of ours was reached;
 * - `file`: a file was made or changed where none may be;
 * - `pollution`: a prototype or global of the host is not what it was;
 * - `hang`: the host's event loop stood still;
 * - `memory`: a process held more than it may;
 * - `death`: the host ended;
 * - `aftermath`: the next run gave a wrong value.
 */
export type Harm =
  | 'leak'
  | 'connection'
  | 'file'
  | 'pollution'
  | 'hang'
  | 'memory'
  | 'death'
  | 'aftermath';

/** What was seen while an attempt ran, in a sandbox or without one: both are judged alike. */
export interface Evidence {
  /** Every text that left the run: value, error, logs, text for the model, violation records, events. */
  readonly outputs: readonly string[];
  readonly connections: number;
  readonly files: readonly string[];
  /** Intrinsics of the host that were added, changed or removed. */
  readonly changedIntrinsics: readonly string[];
  /** The longest time between two turns of the host's event loop. */
  readonly longestBlockMs: number;
  /** Memory of the process that evaluates the attempt, at most. */
  readonly peakMb: number;
  /** How the host ended, when it did. */
  readonly hostEnd: string | null;
  /** What was wrong with the run after the attempt. */
  readonly aftermath: string | null;
}

export interface Bounds {
  /** Texts that no output may hold. */
  readonly secrets: readonly string[];
  readonly maxBlockMs: number;
  readonly maxMemoryMb: number;
}

export interface Finding {
  readonly harm: Harm;
  readonly details: string;
}

/** Every harm that was done; none, when the attempt was withstood. */
export function judge(evidence: Evidence, { secrets, maxBlockMs, maxMemoryMb }: Bounds): Finding[] {
  const { outputs, connections, files, changedIntrinsics, longestBlockMs, peakMb } = evidence;
  const findings: (Finding | false)[] = [
    ...outputs.flatMap((output) =>
      secrets
        .filter((secret) => output.includes(secret))
        .map((secret) => ({
          harm: 'leak' as const,
          details: `${secret} in: ${around(output, secret)}`,
        })),
    ),
    connections > 0 && { harm: 'connection', details: `${connections} connections` },
    files.length > 0 && { harm: 'file', details: files.join(', ') },
    changedIntrinsics.length > 0 && { harm: 'pollution', details: changedIntrinsics.join(', ') },
    longestBlockMs > maxBlockMs && {
      harm: 'hang',
      details: `the event loop stood still for ${Math.round(longestBlockMs)} ms`,
    },
    peakMb > maxMemoryMb && { harm: 'memory', details: `${Math.round(peakMb)} MB` },
    evidence.hostEnd !== null && { harm: 'death', details: evidence.hostEnd },
    evidence.aftermath !== null && { harm: 'aftermath', details: evidence.aftermath },
  ];
  return findings.filter((finding) => finding !== false);
}

function around(text: string, secret: string): string {
  const at = text.indexOf(secret);
  return text.slice(Math.max(0, at - 80), at + secret.length + 80);
}

/**
 * All of a value that a host could come to see, as one text: also what JSON leaves out (errors and their stacks, symbols,
 * hidden properties, prototypes' names, maps, sets). Getters are left alone.
 */
export function textOf(value: unknown): string {
  const seen = new Set<unknown>();
  const parts: string[] = [];
  const left: unknown[] = [value];
  while (left.length > 0) {
    const each = left.pop();
    if (typeof each !== 'object' || each === null) {
      if (typeof each === 'function') parts.push(each.name);
      else parts.push(typeof each === 'symbol' ? String(each.description) : String(each));
      continue;
    }
    if (seen.has(each)) continue;
    seen.add(each);
    if (each instanceof Map) left.push(...each.keys(), ...each.values());
    if (each instanceof Set) left.push(...each);
    if (each instanceof Error) parts.push(String(each.stack)); // an accessor, in newer engines
    for (const key of Reflect.ownKeys(each)) {
      const descriptor = Reflect.getOwnPropertyDescriptor(each, key);
      parts.push(typeof key === 'symbol' ? String(key.description) : key);
      if (descriptor && 'value' in descriptor) left.push(descriptor.value);
    }
  }
  return parts.join('\n');
}
