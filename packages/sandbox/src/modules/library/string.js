// Python's string: constants, Template, capwords, and str.format as a function.
export const ascii_lowercase = 'abcdefghijklmnopqrstuvwxyz';
export const ascii_uppercase = ascii_lowercase.toUpperCase();
export const ascii_letters = ascii_lowercase + ascii_uppercase;
export const digits = '0123456789';
export const hexdigits = '0123456789abcdefABCDEF';
export const punctuation = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';
export const whitespace = ' \t\n\r\v\f';

const capitalized = (word) => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase();
export function capwords(text, separator) {
  const words = separator === undefined ? text.trim().split(/\s+/) : text.split(separator);
  return words.map(capitalized).join(separator ?? ' ');
}

export class Template {
  constructor(template) {
    this.template = template;
  }
  substitute(values = {}) {
    return this.#replace(values, (name, whole) => {
      if (whole === '$') throw new RangeError('Invalid placeholder in string');
      throw new ReferenceError(`No value for placeholder ${name}`);
    });
  }
  safe_substitute(values = {}) {
    return this.#replace(values, (_name, whole) => whole);
  }
  #replace(values, onMissing) {
    const placeholder = /\$(?:(\$)|([a-z_][\w]*)|\{([a-z_][\w]*)\}|)/gi;
    return this.template.replace(placeholder, (whole, dollar, bare, braced) => {
      if (dollar) return '$';
      const name = bare ?? braced;
      return name !== undefined && Object.hasOwn(values, name)
        ? String(values[name])
        : onMissing(name, whole);
    });
  }
}

// `{}`, `{0}`, `{name}`, `{a.b}`, `{0[key]}`, each with an optional `:spec`.
export function format(template, ...args) {
  let next = 0;
  const field = /\{\{|\}\}|\{([^{}:]*)(?::([^{}]*))?\}/g;
  return template.replace(field, (whole, path, spec = '') => {
    if (path === undefined) return whole.charAt(0);
    const [first = '', ...rest] = path.match(/[^.[\]]+/g) ?? [];
    const key = first === '' ? next++ : first;
    const value = /^\d+$/.test(key) ? args[key] : args.at(-1)?.[key];
    if (value === undefined) throw new ReferenceError(`No value for {${path}}`);
    return formatValue(
      rest.reduce((object, part) => object[part], value),
      spec,
    );
  });
}

const SPEC =
  /^(?:(.)(?=[<>=^]))?([<>=^])?([+ -])?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?([bcdeEfFgGnosxX%])?$/;
export function formatValue(value, spec) {
  const parsed = SPEC.exec(spec);
  if (!parsed) throw new RangeError(`Invalid format specifier '${spec}'`);
  const [, fill, align, sign = '-', alternate, zero, width = 0, group, precision, type] = parsed;
  const isNumber = typeof value === 'number' || typeof value === 'bigint';
  let text = isNumber ? numberText(value, { type, precision, group, alternate }) : String(value);
  if (!isNumber && precision !== undefined) text = text.slice(0, Number(precision));
  const minus =
    isNumber && (value < 0 || Object.is(value, -0)) ? '-' : sign === '-' || !isNumber ? '' : sign;
  const side = align ?? (zero && isNumber ? '=' : isNumber ? '>' : '<');
  const padding = (fill ?? (zero ? '0' : ' ')).repeat(
    Math.max(0, Number(width) - text.length - minus.length),
  );
  if (side === '=') return minus + padding + text;
  if (side === '<') return minus + text + padding;
  if (side === '>') return padding + minus + text;
  const left = padding.length >> 1;
  return padding.slice(0, left) + minus + text + padding.slice(left);
}

function numberText(value, { type, precision, group, alternate }) {
  const size = value < 0 ? -value : value;
  const places = precision === undefined ? 6 : Number(precision);
  const radix = { b: 2, o: 8, x: 16, X: 16 }[type];
  let text;
  if (radix !== undefined) text = (alternate ? `0${type}` : '') + size.toString(radix);
  else if (type === 'c') text = String.fromCodePoint(Number(size));
  else if (type === '%') text = `${fixed(Number(size) * 100, places)}%`;
  else if (type === 'f' || type === 'F') text = fixed(Number(size), places);
  else if (type === 'e' || type === 'E') text = exponent(Number(size).toExponential(places));
  else if (type === 'g' || type === 'G' || precision !== undefined)
    text = general(Number(size), places || 1);
  else text = String(size);
  if (type === 'X' || type === 'E' || type === 'G') text = text.toUpperCase();
  return group === undefined
    ? text
    : text.replace(/^\d+/, (whole) => whole.replace(/\B(?=(?:\d{3})+$)/g, group));
}

const exponent = (text) => text.replace(/e([+-])(\d)$/, 'e$10$2');
// Python rounds the exact binary value, ties to even; toFixed breaks such ties upwards.
function fixed(size, places) {
  const text = size.toFixed(places);
  const isTie =
    places < 100 &&
    size
      .toFixed(Math.min(100, places + 30))
      .slice(text.length)
      .replace('.', '')
      .match(/^50*$/);
  if (!isTie || size >= 1e21) return text;
  const down = size.toFixed(places + 1).slice(0, places === 0 ? -2 : -1);
  return Number(down.at(-1)) % 2 === 0 ? down : text;
}
function general(size, places) {
  const [, power] = size.toExponential(places - 1).split('e');
  if (Number(power) < -4 || Number(power) >= places) {
    return exponent(size.toExponential(places - 1).replace(/\.?0*e/, 'e'));
  }
  const text = fixed(size, places - 1 - Number(power));
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
