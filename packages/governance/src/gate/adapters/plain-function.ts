import { NotGovernableError } from '../../errors.ts';
import { callThroughGate, type GovernOptions } from '../foreign-call.ts';
import type { Gate } from '../gate.ts';
import { isAsyncGeneratorFunction, streamThroughGate } from './stream-through-gate.ts';

export type PlainFunction = (...given: never[]) => unknown;

/**
 * Its arguments are what is decided on: a single one as it is, so that rules find its fields by their names; several, none,
 * or one that is itself a list, as the list of arguments. So no two ways to call it are the same to rules, log and approvals.
 */
export function governFunction(
  gate: Gate,
  run: PlainFunction,
  options: GovernOptions,
): (...given: unknown[]) => unknown {
  const name = options.name ?? run.name;
  if (name === '') {
    throw new NotGovernableError('A function without a name needs one: govern(run, { name: … }).');
  }
  if (Object.prototype.toString.call(run) === '[object GeneratorFunction]') {
    throw new NotGovernableError(
      `${name} is a generator, which cannot wait for a decision; make it an async function*.`,
    );
  }
  const tool = { name, description: name, schema: null };
  return (...given) => {
    const [first] = given;
    const isBare = given.length === 1 && !isList(first);
    const start = (snapshot: unknown): unknown => {
      const checked: unknown = isBare ? [snapshot] : snapshot;
      return Reflect.apply(run, undefined, Array.isArray(checked) ? checked : []);
    };
    const call = { input: isBare ? first : given, context: undefined };
    return isAsyncGeneratorFunction(run)
      ? streamThroughGate(gate, tool, options, call, start)
      : callThroughGate(gate, tool, options, call, async (snapshot) => start(snapshot));
  };
}

function isList(value: unknown): boolean {
  try {
    return Array.isArray(value);
  } catch {
    return false; // a proxy that is revoked: the gate refuses it
  }
}
