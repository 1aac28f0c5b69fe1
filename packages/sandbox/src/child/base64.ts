const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** `btoa` of the HTML standard. */
export function toBase64(given: unknown): string {
  const text = String(given);
  if (/[^\0-\u00ff]/.test(text)) throw new RangeError('btoa takes characters up to U+00FF only');
  let encoded = '';
  for (let at = 0; at < text.length; at += 3) {
    const bits =
      (text.charCodeAt(at) << 16) |
      ((text.charCodeAt(at + 1) || 0) << 8) |
      (text.charCodeAt(at + 2) || 0);
    const sextets = [bits >> 18, bits >> 12, bits >> 6, bits].map(
      (sextet) => ALPHABET[sextet & 63],
    );
    encoded += sextets
      .slice(0, text.length - at + 1)
      .join('')
      .padEnd(4, '=');
  }
  return encoded;
}

/** `atob` of the HTML standard. */
export function fromBase64(given: unknown): string {
  const text = String(given).replace(/[\t\n\f\r ]/g, '');
  const digits = text.length % 4 === 0 ? text.replace(/={1,2}$/, '') : text;
  if (digits.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(digits))
    throw new RangeError('atob was given text that is not base64');
  let decoded = '';
  let bits = 0;
  let held = 0;
  for (const digit of digits) {
    bits = ((bits << 6) | ALPHABET.indexOf(digit)) & 0xffff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    decoded += String.fromCharCode((bits >> held) & 0xff);
  }
  return decoded;
}
