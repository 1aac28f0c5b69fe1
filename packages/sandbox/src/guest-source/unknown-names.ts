import { positionAt, reject } from './code-frame.ts';
import { didYouMean } from './did-you-mean.ts';
import type { RejectedSource } from './guest-source.ts';
import type { NameReference, ResolvedNames } from './resolve-names.ts';
import type { AllowedModules } from './rewrite-modules.ts';

/** Known to every program, and never worth a binding of their own; `eval` may not even be bound. */
const alwaysKnown = new Set(['undefined', 'NaN', 'Infinity']);
const unbindable = new Set(['eval', ...alwaysKnown]);

const foreignNames = new Map([
  ['None', 'In JavaScript it is null.'],
  ['True', 'In JavaScript it is true.'],
  ['False', 'In JavaScript it is false.'],
  ['nil', 'In JavaScript it is null.'],
  ['print', 'Use console.log().'],
  ['len', 'Use .length, or .size of a Map or Set.'],
  ['str', 'Use String().'],
  ['int', 'Use Math.trunc(Number(x)).'],
  ['float', 'Use Number().'],
  ['dict', 'Use {} or new Map().'],
  ['range', 'Use Array.from({ length: n }, (_, i) => i), or itertools.count().'],
  ['arguments', 'It exists inside functions only; the input of a run is `input`.'],
  ['exports', 'Use export default.'],
  ['module', 'Use export default.'],
  ['require', 'Use an import statement.'],
  ['__dirname', 'There are no files here.'],
  ['__filename', 'There are no files here.'],
]);

/** The names of `globals` that the code uses, to be bound to constants: reading a global of SES is 20 times slower. */
export function usedGlobals({ free }: ResolvedNames, globals: ReadonlySet<string>): string[] {
  const used = new Set(free.map(({ name }) => name));
  return [...used].filter((name) => globals.has(name) && !unbindable.has(name));
}

/** Refuses the first name that nothing declares, and tells of the others; in SES it would silently be `undefined`. */
export function rejectUnknownNames(
  code: string,
  names: ResolvedNames,
  { globals, modules }: { globals: ReadonlySet<string>; modules: AllowedModules },
): RejectedSource | undefined {
  const unknown = names.free.filter(
    ({ name }) => !globals.has(name) && !alwaysKnown.has(name) && !names.guarded.has(name),
  );
  const [first] = unknown;
  if (first === undefined) return undefined;
  const hints = [
    hintForAssignment(code, first, names) ?? hintFor(first.name, names, globals, modules),
    alsoUnknown(code, first, unknown),
  ];
  const hint = hints.filter((text) => text !== '').join(' ');
  return reject(code, first.offset, {
    kind: 'reference',
    message: `${first.name} is not defined`,
    ...(hint !== '' && { hint }),
  });
}

function hintFor(
  name: string,
  { declared }: ResolvedNames,
  globals: ReadonlySet<string>,
  modules: AllowedModules,
): string {
  if (modules.has(name)) return `Did you forget \`import ${name} from '${name}'\`?`;
  const foreign = foreignNames.get(name);
  if (foreign !== undefined) return foreign;
  if (declared.has(name)) return 'It is declared in another scope, which has ended here.';
  const near = didYouMean(name, [...declared, ...globals, ...modules.keys()]);
  if (near !== undefined) return `Did you mean ${near}?`;
  const exporter = [...modules].find(([, exported]) => exported.includes(name));
  return exporter === undefined
    ? ''
    : `Did you forget \`import { ${name} } from '${exporter[0]}'\`?`;
}

/** `total = 0` makes a variable in a sloppy script only: who writes so means to declare it. */
function hintForAssignment(
  code: string,
  { name, offset }: NameReference,
  { declared }: ResolvedNames,
): string | undefined {
  const end = offset + name.length;
  const isAssigned = /^\s*=(?![=>])/.test(code.slice(end, end + 40));
  if (!isAssigned || declared.has(name) || foreignNames.has(name)) return undefined;
  const near = didYouMean(name, declared);
  return near === undefined ? `Declare it first: let ${name}.` : `Did you mean ${near}?`;
}

const MAX_OTHERS = 5;

function alsoUnknown(
  code: string,
  first: NameReference,
  unknown: readonly NameReference[],
): string {
  const others = new Map(unknown.toReversed().map(({ name, offset }) => [name, offset]));
  others.delete(first.name);
  const listed = [...others].toSorted((a, b) => a[1] - b[1]).slice(0, MAX_OTHERS);
  if (listed.length === 0) return '';
  const places = listed.map(([name, offset]) => `${name} (line ${positionAt(code, offset).line})`);
  return `Also not defined: ${places.join(', ')}.`;
}
