import { NotGovernableError } from '../../errors.ts';
import { callThroughGate, type GovernOptions } from '../foreign-call.ts';
import type { Gate } from '../gate.ts';

export type PlainFunction = (...given: never[]) => unknown;

/** Its arguments are what is decided on: a single one as it is, several as a list. */
export function governFunction(
  gate: Gate,
  run: PlainFunction,
  options: GovernOptions,
): (...given: unknown[]) => Promise<unknown> {
  const name = options.name ?? run.name;
  if (name === '') {
    throw new NotGovernableError('A function without a name needs one: govern(run, { name: … }).');
  }
  const tool = { name, framework: 'a function', description: name, schema: null };
  return (...given) => {
    const input = given.length === 1 ? given[0] : given;
    return callThroughGate(gate, tool, options, input, async (snapshot): Promise<unknown> => {
      const checked: unknown = given.length === 1 ? [snapshot] : snapshot;
      const result: unknown = Reflect.apply(run, undefined, Array.isArray(checked) ? checked : []);
      return result;
    });
  };
}
