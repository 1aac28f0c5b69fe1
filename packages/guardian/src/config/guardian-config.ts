import { z } from 'zod';
import type { RecoverableFault } from '../faults/define-fault.ts';
import type { GuardianInput } from '../engine/options.ts';
import type { Playbook } from '../playbook/define-playbook.ts';
import type { LayerProbe } from '../probes/layers/layer.ts';
import type { AnyAdapter } from '../resource/kinds.ts';
import { EFFECTS } from '../resource/effects.ts';
import type { ResourceInput } from '../resource/registry.ts';

/**
 * What the program `buddy-guardian` is told by a module of yours, `guardian.config.ts`: as its default export (this, or a
 * function that makes it), or as exports of these names. Your service can read the same module.
 * @example
 * export default { resources: [{ id: 'api', adapter: api }], store: 'state/guardian.db' } satisfies GuardianConfig;
 */
export interface GuardianConfig {
  resources?: readonly ResourceInput[];
  /** Default: `builtinPlaybooks`. */
  playbooks?: readonly Playbook[];
  options?: GuardianInput;
  /** Path of the file of `openSqliteStore`, from where the program is started. */
  store?: string;
  /** What `probe` looks at when it is told no target. */
  layers?: readonly LayerProbe[];
  /** Own faults that may be in a journal, beside the built-in ones. */
  faults?: readonly RecoverableFault[];
  /** Lets go of what the resources hold, at the end of the program. */
  close?: () => Promise<void> | void;
}

const hasFunctions =
  (...names: readonly string[]) =>
  (value: unknown): boolean =>
    typeof value === 'object' &&
    value !== null &&
    names.every((name) => typeof Reflect.get(value, name) === 'function');

const kinds: readonly unknown[] = Object.keys(EFFECTS);

const Adapter = z.custom<AnyAdapter>(
  (value) => hasFunctions('probe')(value) && kinds.includes(Reflect.get(Object(value), 'kind')),
  'must be an adapter: an object with `kind` and `probe`',
);

export const GuardianConfigFields = z.strictObject({
  resources: z
    .array(
      z.custom<ResourceInput>(
        (value) => z.object({ id: z.string(), adapter: Adapter }).safeParse(value).success,
        'must be { id, adapter }, the adapter an object with `kind` and `probe`',
      ),
      'must be a list of resources',
    )
    .exactOptional(),
  playbooks: z
    .array(
      z.custom<Playbook>(hasFunctions('diagnose'), 'must be a playbook, made by definePlaybook'),
      'must be a list of playbooks',
    )
    .exactOptional(),
  // Read by createGuardian itself.
  options: z
    .custom<GuardianInput>(
      (value) => typeof value === 'object' && value !== null,
      'must be an object',
    )
    .exactOptional(),
  store: z.string().min(1).exactOptional(),
  layers: z
    .array(z.custom<LayerProbe>(hasFunctions('look'), 'must be a layer probe'))
    .exactOptional(),
  faults: z
    .array(
      z.custom<RecoverableFault>(hasFunctions('recover'), 'must be a fault, made by defineFault'),
    )
    .exactOptional(),
  close: z
    .custom<() => Promise<void> | void>(
      (value) => typeof value === 'function',
      'must be a function',
    )
    .exactOptional(),
});
