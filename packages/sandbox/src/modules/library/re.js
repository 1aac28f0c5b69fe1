// Python's re over RegExp: its functions, its Match objects, and the parts of its syntax that JavaScript spells otherwise.
export const I = 'i';
export const M = 'm';
export const S = 's';
export const IGNORECASE = I;
export const MULTILINE = M;
export const DOTALL = S;

// Flags are letters: 'i', or I + M.
export class Pattern {
  #source;
  #flags;
  constructor(pattern, flags = '') {
    const isRegExp = Object.prototype.toString.call(pattern) === '[object RegExp]';
    const inline = isRegExp ? null : /^\(\?([aimsu]+)\)/.exec(pattern);
    const letters = [...(isRegExp ? pattern.flags : (inline?.[1] ?? '')), ...Array.from(flags)];
    this.pattern = isRegExp ? pattern.source : pattern;
    this.#source = isRegExp ? pattern.source : toJavaScript(pattern.slice(inline?.[0].length ?? 0));
    this.#flags = [...new Set(letters.filter((flag) => 'imsu'.includes(flag)))].join('');
    this.#regExp('');
  }
  match(text) {
    const found = this.#regExp('y').exec(text);
    return found && new Match(found);
  }
  fullmatch(text) {
    const found = this.#regExp('y', `(?:${this.#source})(?![^])`).exec(text);
    return found && new Match(found);
  }
  search(text) {
    const found = this.#regExp('').exec(text);
    return found && new Match(found);
  }
  *finditer(text) {
    for (const found of text.matchAll(this.#regExp('g'))) yield new Match(found);
  }
  // Whole matches; with one group its text, with more an array of theirs.
  findall(text) {
    return Array.from(text.matchAll(this.#regExp('g')), ([whole, ...groups]) => {
      if (groups.length === 0) return whole;
      return groups.length === 1 ? (groups[0] ?? '') : groups.map((group) => group ?? '');
    });
  }
  sub(replacement, text, count = 0) {
    return this.subn(replacement, text, count)[0];
  }
  subn(replacement, text, count = 0) {
    let done = 0;
    let from = 0;
    let result = '';
    for (const found of text.matchAll(this.#regExp('g'))) {
      if (count > 0 && done === count) break;
      const match = new Match(found);
      const by = typeof replacement === 'function' ? replacement(match) : match.expand(replacement);
      result += text.slice(from, match.start()) + by;
      from = match.end();
      done += 1;
    }
    return [result + text.slice(from), done];
  }
  // What groups matched comes between the pieces.
  split(text, maxsplit = 0) {
    const pieces = [];
    let from = 0;
    let done = 0;
    for (const found of text.matchAll(this.#regExp('g'))) {
      if (maxsplit > 0 && done === maxsplit) break;
      pieces.push(text.slice(from, found.index), ...found.slice(1).map((group) => group ?? null));
      from = found.index + found[0].length;
      done += 1;
    }
    return [...pieces, text.slice(from)];
  }
  #regExp(more, source = this.#source) {
    return new RegExp(source, this.#flags + more);
  }
}

// One pass over escapes, classes and group openings, so that nothing inside a class or an escape is taken for syntax.
function toJavaScript(pattern) {
  const spellings = { '\\A': '(?<![^])', '\\Z': '(?![^])', '(?P<': '(?<' };
  return pattern
    .replace(
      /\\[^]|\[\^?\]?(?:\\[^]|[^\]\\])*\]|\(\?P<|\(\?P=(\w+)\)|\(\?#[^)]*\)/g,
      (piece, name) => {
        if (name !== undefined) return `\\k<${name}>`;
        if (piece.startsWith('(?#')) return '';
        // A bracket that comes first is a character in Python, and ends an empty class in JavaScript.
        if (piece.startsWith('[')) return piece.replace(/^(\[\^?)\]/, '$1\\]');
        return spellings[piece] ?? piece;
      },
    )
    .replace(/(?<!\\)\$$/, '(?=\\n?(?![^]))');
}

export class Match {
  #found;
  constructor(found) {
    this.#found = found;
    this.string = found.input;
    this.lastindex = found.findLastIndex((group, index) => index > 0 && group !== undefined);
  }
  group(...keys) {
    const groups = keys.map((key) => this.#group(key));
    return keys.length === 0 ? this.#found[0] : keys.length === 1 ? groups[0] : groups;
  }
  groups(missing = null) {
    return this.#found.slice(1).map((group) => group ?? missing);
  }
  groupdict(missing = null) {
    const entries = Object.entries(this.#found.groups ?? {});
    return Object.fromEntries(entries.map(([name, group]) => [name, group ?? missing]));
  }
  start() {
    return this.#found.index;
  }
  end() {
    return this.#found.index + this.#found[0].length;
  }
  span() {
    return [this.start(), this.end()];
  }
  // `\1`, `\g<1>`, `\g<name>`, `\n`, `\t`, `\\`.
  expand(template) {
    const escapes = { n: '\n', t: '\t', r: '\r', '\\': '\\' };
    return template.replace(/\\(?:g<(\w+)>|(\d{1,2})|([^]))/g, (whole, name, number, character) => {
      if (character !== undefined) return escapes[character] ?? whole;
      return this.#group(number ?? name) ?? '';
    });
  }
  #group(key) {
    const isNumber = /^\d+$/.test(String(key));
    const groups = isNumber ? this.#found : (this.#found.groups ?? {});
    if (!Object.hasOwn(groups, key)) throw new RangeError(`no such group: ${key}`);
    return groups[key] ?? null;
  }
}

export const compile = (pattern, flags) =>
  pattern instanceof Pattern ? pattern : new Pattern(pattern, flags);
export const match = (pattern, text, flags) => compile(pattern, flags).match(text);
export const fullmatch = (pattern, text, flags) => compile(pattern, flags).fullmatch(text);
export const search = (pattern, text, flags) => compile(pattern, flags).search(text);
export const findall = (pattern, text, flags) => compile(pattern, flags).findall(text);
export const finditer = (pattern, text, flags) => compile(pattern, flags).finditer(text);
export const sub = (pattern, by, text, { count = 0, flags } = {}) =>
  compile(pattern, flags).sub(by, text, count);
export const subn = (pattern, by, text, { count = 0, flags } = {}) =>
  compile(pattern, flags).subn(by, text, count);
export const split = (pattern, text, { maxsplit = 0, flags } = {}) =>
  compile(pattern, flags).split(text, maxsplit);
export const escape = (text) => text.replace(/[\s#$&()*+\-.?[\\\]^{|}~]/g, '\\$&');
