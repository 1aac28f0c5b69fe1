import { NotGovernableError } from '../../errors.ts';
import { callThroughGate, type GovernOptions } from '../foreign-call.ts';
import type { Gate } from '../gate.ts';
import { isAsyncGeneratorFunction, streamThroughGate } from './stream-through-gate.ts';

export type PlainFunction = (...given: never[]) => unknown;

/** Its arguments are what is decided on: a single one as it is, several as a list. */
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
    const isSingle = given.length === 1;
    const start = (snapshot: unknown): unknown => {
      const checked: unknown = isSingle ? [snapshot] : snapshot;
      return Reflect.apply(run, undefined, Array.isArray(checked) ? checked : []);
    };
    const call = { input: isSingle ? given[0] : given, context: undefined };
    return isAsyncGeneratorFunction(run)
      ? streamThroughGate(gate, tool, options, call, start)
      : callThroughGate(gate, tool, options, call, async (snapshot) => start(snapshot));
  };
}
