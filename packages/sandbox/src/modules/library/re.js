// Python's re over RegExp: its functions, its Match objects, and the parts of its syntax that JavaScript spells otherwise.
export const [I, M, S] = 'ims';
export const [IGNORECASE, MULTILINE, DOTALL] = 'ims';

// Flags are letters: 'i', or I + M.
export class Pattern {
  #source;
  #flags;
  constructor(pattern, flags = '') {
    const isRegExp = typeof pattern !== 'string';
    const [inline = '', letters = ''] = isRegExp ? [] : (/^\(\?([aimsu]+)\)/.exec(pattern) ?? []);
    const all = (isRegExp ? pattern.flags : letters) + flags;
    this.pattern = isRegExp ? pattern.source : pattern;
    this.#source = isRegExp ? pattern.source : toJavaScript(pattern.slice(inline.length));
    this.#flags = Array.from('imsu')
      .filter((flag) => all.includes(flag))
      .join('');
    this.search(''); // what is wrong with the pattern is told now
  }
  match(text) {
    return this.#first(text, 'y', this.#source);
  }
  fullmatch(text) {
    return this.#first(text, 'y', `(?:${this.#source})(?![^])`);
  }
  search(text) {
    return this.#first(text, '', this.#source);
  }
  *finditer(text) {
    const pattern = new RegExp(this.#source, `${this.#flags}g`);
    for (const found of text.matchAll(pattern)) yield new Match(found);
  }
  // Whole matches; with one group its text, with more an array of theirs.
  findall(text) {
    return Array.from(this.finditer(text), (match) => {
      const groups = match.groups('');
      return groups.length < 2 ? (groups[0] ?? match.group()) : groups;
    });
  }
  sub(replacement, text, count = Infinity) {
    const by =
      typeof replacement === 'function' ? replacement : (match) => expand(replacement, match);
    return this.#cut(text, count, (match) => [by(match)]).join('');
  }
  // What groups matched comes between the pieces.
  split(text, maxsplit = Infinity) {
    return this.#cut(text, maxsplit, (match) => match.groups());
  }
  #cut(text, count, between) {
    const pieces = [];
    let from = 0;
    for (const match of this.finditer(text).take(count || Infinity)) {
      pieces.push(text.slice(from, match.start()), ...between(match));
      from = match.end();
    }
    return [...pieces, text.slice(from)];
  }
  #first(text, flag, source) {
    const found = new RegExp(source, this.#flags + flag).exec(text);
    return found && new Match(found);
  }
}

// One pass over escapes, classes and group openings, so that nothing inside a class or an escape is taken for syntax.
function toJavaScript(pattern) {
  const spellings = { '\\A': '(?<![^])', '\\Z': '(?![^])', '(?P<': '(?<', $: '(?=\\n?(?![^]))' };
  const pieces = /\\[^]|\[\^?\]?(?:\\[^]|[^\]\\])*\]|\(\?P<|\(\?P=(\w+)\)|\$$/g;
  return pattern.replace(pieces, (piece, name) => {
    if (name !== undefined) return `\\k<${name}>`;
    // A bracket that comes first is a character in Python, and ends an empty class in JavaScript.
    return spellings[piece] ?? piece.replace(/^(\[\^?)\]/, '$1\\]');
  });
}

export class Match {
  #found;
  constructor(found) {
    this.#found = found;
  }
  group(...keys) {
    const groups = (keys.length === 0 ? [0] : keys).map((key) => {
      const from = /^\d+$/.test(key) ? this.#found : (this.#found.groups ?? {});
      if (!Object.hasOwn(from, key)) throw new RangeError(`no such group: ${key}`);
      return from[key] ?? null;
    });
    return groups.length === 1 ? groups[0] : groups;
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
}

// `\1`, `\g<1>`, `\g<name>`, `\n`, `\t`, `\\` in a replacement.
function expand(template, match) {
  const escapes = { n: '\n', t: '\t', r: '\r', '\\': '\\' };
  return template.replace(/\\(?:g<(\w+)>|(\d{1,2})|([^]))/g, (whole, name, number, character) =>
    character === undefined ? (match.group(number ?? name) ?? '') : (escapes[character] ?? whole),
  );
}

export const compile = (pattern, flags) =>
  pattern instanceof Pattern ? pattern : new Pattern(pattern, flags);
export const match = (pattern, text, flags) => compile(pattern, flags).match(text);
export const fullmatch = (pattern, text, flags) => compile(pattern, flags).fullmatch(text);
export const search = (pattern, text, flags) => compile(pattern, flags).search(text);
export const findall = (pattern, text, flags) => compile(pattern, flags).findall(text);
export const finditer = (pattern, text, flags) => compile(pattern, flags).finditer(text);
export const sub = (pattern, by, text, { count, flags } = {}) =>
  compile(pattern, flags).sub(by, text, count);
export const split = (pattern, text, { maxsplit, flags } = {}) =>
  compile(pattern, flags).split(text, maxsplit);
export const escape = (text) => text.replace(/[\s#$&()*+\-.?[\\\]^{|}~]/g, '\\$&');
