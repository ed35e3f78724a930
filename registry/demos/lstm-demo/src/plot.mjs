// @ts-check
/** Pictures made of letters, and the terminal they go to. */

/**
 * @typedef {object} Terminal
 * @property {(text?: string) => void} line       prints one line; silent under --json
 * @property {(text: string) => void} seen        the closing sentence, wrapped
 * @property {(text: string) => void} note        a wrapped paragraph
 * @property {(text: string) => string} bold      and the others: as is without colour
 * @property {(text: string) => string} dim
 * @property {(text: string) => string} good
 * @property {(text: string) => string} bad
 * @property {(part: number, width: number) => string} bar
 * @property {(values: ArrayLike<number>, low: number, high: number) => string} spark
 * @property {{ arrow: string, dot: string, rule: string, baseline: string, full: string }} sign
 */

const sparks = { unicode: ' ▁▂▃▄▅▆▇█', ascii: ' .:-=+*%#' };

/**
 * A column of height 0 to 8 per value.
 * @param {ArrayLike<number>} values @param {number} low @param {number} high
 */
export function spark(values, low, high, unicode = true) {
  const levels = unicode ? sparks.unicode : sparks.ascii;
  const one = (/** @type {number} */ v) =>
    levels[Math.max(0, Math.min(8, Math.round(((v - low) / (high - low)) * 8)))];
  return Array.from(values, one).join('');
}

/**
 * A bar of `width` columns, filled to `part` (0 to 1), in eighths of a column where there are such
 * letters. Always `width` wide, so that what follows stays aligned.
 * @param {number} part @param {number} width
 */
export function bar(part, width, unicode = true) {
  const eighths = Math.round(Math.max(0, Math.min(1, part)) * width * 8);
  const full = Math.floor(eighths / 8);
  if (!unicode) return '#'.repeat(Math.round(eighths / 8)).padEnd(width, '.');
  const rest = ' ▏▎▍▌▋▊▉'[eighths % 8];
  return ('█'.repeat(full) + rest).slice(0, width).padEnd(width);
}

/** Fixed digits, or an exponent where they would hide the number. @param {number} v */
export function number(v, digits = 6) {
  if (v !== 0 && Math.abs(v) < 10 ** (2 - digits)) return v.toExponential(1);
  return v.toFixed(digits);
}

/** @param {string} text @param {number} width */
export function wrap(text, width) {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines[lines.length - 1];
    if (last && last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last ? `${last} ${word}` : word;
  }
  return lines;
}

/**
 * @param {object} options
 * @param {(text: string) => void} options.write
 * @param {boolean} options.colour @param {boolean} options.unicode @param {boolean} options.silent
 * @returns {Terminal}
 */
export function terminal({ write, colour, unicode, silent }) {
  const paint = (/** @type {number} */ on, /** @type {number} */ off) => (/** @type {string} */ text) =>
    colour ? `\x1b[${on}m${text}\x1b[${off}m` : text;
  const line = (text = '') => {
    if (!silent) write(`${text.trimEnd()}\n`);
  };
  const paragraph = (/** @type {string} */ text, style = (/** @type {string} */ t) => t) => {
    for (const part of wrap(text, 76)) line(`  ${style(part)}`);
  };
  const [bold, dim] = [paint(1, 22), paint(2, 22)];
  return {
    line,
    note: (text) => paragraph(text),
    seen(text) {
      line();
      paragraph(text, bold);
    },
    bold,
    dim,
    good: paint(32, 39),
    bad: paint(31, 39),
    bar: (part, width) => bar(part, width, unicode),
    spark: (values, low, high) => spark(values, low, high, unicode),
    sign: unicode
      ? { arrow: '→', dot: '·', rule: '─', baseline: '│', full: '█' }
      : { arrow: '->', dot: '.', rule: '-', baseline: '|', full: '#' },
  };
}
