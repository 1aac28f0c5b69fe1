import { OutputMisuseError } from './errors.ts';

type Use = 'appended' | 'written';

/** Checks the paths that an output is given, and that each is used in one way only. */
export class PathUses {
  readonly #uses = new Map<string, Use>();
  #isClosed = false;

  /** @throws {OutputMisuseError} */
  note(path: string, use: Use): void {
    if (this.#isClosed) throw new OutputMisuseError(`The output is closed; ${path} came too late.`);
    const earlier = this.#uses.get(path);
    if (earlier === use) return;
    if (earlier !== undefined) {
      throw new OutputMisuseError(
        `${path} was ${earlier} before and cannot be ${use} too; use a path of its own.`,
      );
    }
    checkPath(path);
    this.#uses.set(path, use);
  }

  close(): void {
    this.#isClosed = true;
  }
}

function checkPath(path: string): void {
  const fault = faultOf(path);
  if (fault !== undefined) {
    throw new OutputMisuseError(
      `${JSON.stringify(path)} is no path inside an output: ${fault}. Write it like phase21/wave_1/plan.json.`,
    );
  }
}

function faultOf(path: string): string | undefined {
  if (path === '') return 'it is empty';
  if (path.startsWith('/')) return 'it is absolute';
  if (path.includes('\\')) return 'it has a backslash';
  // A drive (C:) or a second stream of a file (a:b) on Windows.
  if (path.includes(':')) return 'it has a colon';
  // oxlint-disable-next-line no-control-regex -- that is what is looked for
  if (/[\u0000-\u001f\u007f]/u.test(path)) return 'it has a control character';
  const segments = path.split('/');
  if (segments.includes('')) return 'a part of it is empty';
  if (segments.some((segment) => segment === '.' || segment === '..')) return 'it has . or ..';
  return undefined;
}
