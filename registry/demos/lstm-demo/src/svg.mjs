// @ts-check
/**
 * Pictures as one SVG file: no script, no font file, readable on light and on dark paper, because
 * the colours of paper and ink follow the reader's setting (and have a light default).
 */

const style = `
  .paper{fill:#fff} .ink{fill:#24292f} .soft{fill:#57606a} .line{stroke:#d0d7de;fill:none}
  .a{fill:#0969da} .b{fill:#bc4c00} .sa{stroke:#0969da} .sb{stroke:#bc4c00}
  text{font:12px system-ui,-apple-system,"Segoe UI",sans-serif} .title{font-size:15px;font-weight:600}
  @media (prefers-color-scheme:dark){
    .paper{fill:#0d1117} .ink{fill:#e6edf3} .soft{fill:#9198a1} .line{stroke:#3d444d}
    .a{fill:#58a6ff} .b{fill:#f0883e} .sa{stroke:#58a6ff} .sb{stroke:#f0883e}
  }`;

/** Seven colours that can be told apart on white and on black. */
export const colours = ['#8b5cf6', '#d6409f', '#d9480f', '#a87900', '#2b9348', '#2f81f7', '#808890'];

/** @param {string} text */
const escape = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
/** @param {number} v */
const n = (v) => String(Math.round(v * 100) / 100);

/** @param {number} x @param {number} y @param {string} words @param {string} [more] */
export const text = (x, y, words, more = 'class="ink"') =>
  `<text x="${n(x)}" y="${n(y)}" ${more}>${escape(words)}</text>`;
/** @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 */
export const rule = (x1, y1, x2, y2, more = 'class="line"') =>
  `<line x1="${n(x1)}" y1="${n(y1)}" x2="${n(x2)}" y2="${n(y2)}" ${more}/>`;
/** @param {number} x @param {number} y @param {number} w @param {number} h @param {string} more */
export const box = (x, y, w, h, more) =>
  `<rect x="${n(x)}" y="${n(y)}" width="${n(w)}" height="${n(h)}" ${more}/>`;
/** @param {[number, number][]} points @param {string} more */
export const path = (points, more) =>
  `<polyline points="${points.map(([x, y]) => `${n(x)},${n(y)}`).join(' ')}" fill="none" ${more}/>`;

/** @param {number} width @param {number} height @param {string} title @param {string[]} parts */
export function page(width, height, title, parts) {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>${escape(title)}</title>
<style>${style}
</style>
${box(0, 0, width, height, 'class="paper"')}
${text(24, 32, title, 'class="ink title"')}
${parts.join('\n')}
</svg>
`;
}

/**
 * Gates as bars and the two memories as lines, day by day, A beside B.
 * @param {{ name: string, next: number, answer: number, days: Record<string, number>[] }[]} companies
 */
export function companiesPicture(companies) {
  const parts = [text(24, 52, 'Bars: gates from 0 to 1. Lines: long-term memory c and short-term memory h.', 'class="soft"')];
  companies.forEach(({ name, next, answer, days }, side) => {
    const left = 96 + side * 340;
    const tone = side ? 'b' : 'a';
    parts.push(text(left, 84, `Company ${name}: says ${answer.toFixed(3)}, should say ${next}`, 'class="ink" font-weight="600"'));
    const gates = [['f', 'forget'], ['i', 'input'], ['o', 'output']];
    gates.forEach(([key, label], row) => {
      const floor = 152 + row * 62;
      if (!side) parts.push(text(84, floor - 16, label, 'class="soft" text-anchor="end"'));
      parts.push(rule(left, floor, left + 256, floor));
      days.forEach((day, k) => {
        const height = day[key] * 44;
        parts.push(box(left + k * 64 + 8, floor - height, 40, height, `class="${tone}" rx="2"`));
        parts.push(text(left + k * 64 + 28, floor - height - 4, day[key].toFixed(2), 'class="soft" text-anchor="middle" font-size="10"'));
      });
    });
    const y = (/** @type {number} */ v) => 430 - (v + 0.5) * 42;
    for (const v of [0, 1, 2]) {
      parts.push(rule(left, y(v), left + 256, y(v)));
      if (!side) parts.push(text(84, y(v) + 4, `${v}`, 'class="soft" text-anchor="end"'));
    }
    for (const [key, dash] of [['c', ''], ['h', 'stroke-dasharray="5 4"']]) {
      /** @type {[number, number][]} */
      const points = days.map((day, k) => [left + k * 64 + 28, y(day[key])]);
      parts.push(path(points, `class="s${tone}" stroke-width="2.5" ${dash}`));
      const [x, last] = points[3];
      const nudge = key === 'c' ? -3 : 11; // A's two memories end at nearly the same height
      parts.push(text(x + 8, last + nudge, key, 'class="ink" font-weight="600"'));
    }
    days.forEach((day, k) => {
      parts.push(text(left + k * 64 + 28, 466, `day ${day.day}`, 'class="soft" text-anchor="middle"'));
      parts.push(text(left + k * 64 + 28, 482, `x ${day.x}`, 'class="soft" text-anchor="middle"'));
    });
  });
  return page(760, 504, 'Two made-up companies that differ on day 1 only', parts);
}

/**
 * All units of a trained LSTM over one sequence: one row a unit, one column a step.
 * @param {{ kind: string, T: number, H: number, state: ArrayLike<number>, marks: number[],
 *   unit: number, target: number, answer: number }} run   state, (T+1) x H, is c (or h of an RNN)
 */
export function unitsPicture({ kind, T, H, state, marks, unit, target, answer }) {
  const cell = Math.max(2, Math.min(12, Math.floor(640 / T)));
  const tall = 22;
  const left = 84;
  const parts = [
    text(24, 52, 'One row a unit, one column a step. Blue is positive, orange negative; strength is the size, each row for itself.', 'class="soft"'),
  ];
  for (const t of marks) {
    parts.push(text(left + (t + 0.5) * cell, 76, '▼', 'class="ink" text-anchor="middle"'));
    parts.push(rule(left + (t + 0.5) * cell, 80, left + (t + 0.5) * cell, 84 + H * tall, 'class="line" stroke-dasharray="2 3"'));
  }
  for (let k = 0; k < H; k++) {
    const y = 84 + k * tall;
    parts.push(text(left - 8, y + 15, `unit ${k + 1}`, `class="${k === unit ? 'ink' : 'soft'}" text-anchor="end"${k === unit ? ' font-weight="700"' : ''}`));
    let most = 0;
    for (let t = 1; t <= T; t++) most = Math.max(most, Math.abs(state[t * H + k]));
    for (let t = 0; t < T; t++) {
      const v = state[(t + 1) * H + k] / most;
      parts.push(box(left + t * cell, y, cell - 0.5, tall - 2, `class="${v < 0 ? 'b' : 'a'}" fill-opacity="${n(Math.abs(v))}"`));
    }
  }
  const foot = 84 + H * tall + 20;
  parts.push(text(left, foot, `The two marked values (▼) add up to ${target.toFixed(3)}; the answer was ${answer.toFixed(3)}.`, 'class="soft"'));
  parts.push(text(left, foot + 18, 'The bold unit moves most at the markers; it is the one that the terminal shows.', 'class="soft"'));
  return page(Math.max(720, left + T * cell + 24), foot + 38, `${kind === 'lstm' ? 'Long-term memory c' : 'State h'} of every unit, adding problem`, parts);
}

/**
 * Lines on a logarithmic axis, from the last step (left) back to the first (right). A line that
 * falls below the floor ends there.
 * @param {{ title: string, note: string, lines: { label: string, values: number[] }[],
 *   floor: number }} chart
 */
export function logPicture({ title, note, lines, floor }) {
  const [left, right, top, bottom] = [72, 580, 76, 396];
  const ceiling = 2;
  const last = lines[0].values.length - 1;
  const y = (/** @type {number} */ v) => top + ((ceiling - Math.log10(v)) / (ceiling - floor)) * (bottom - top);
  const parts = [text(24, 52, note, 'class="soft"')];
  for (let power = ceiling; power >= floor; power -= 2) {
    parts.push(rule(left, y(10 ** power), right, y(10 ** power)));
    parts.push(text(left - 8, y(10 ** power) + 4, power === 0 ? '1' : `1e${power}`, 'class="soft" text-anchor="end"'));
  }
  /** @type {number[]} labels at the right edge, kept apart */
  const taken = [];
  const place = (/** @type {number} */ at) => {
    while (taken.some((other) => Math.abs(other - at) < 14)) at += 3;
    taken.push(at);
    return at;
  };
  const painted = lines.map((line, k) => ({ ...line, colour: colours[k % colours.length] }));
  painted.sort((one, other) => other.values[0] - one.values[0]);
  for (const { label, values, colour } of painted) {
    /** @type {[number, number][]} */
    const points = [];
    for (let back = 0; back <= last && values[last - back] >= 10 ** floor; back++) {
      points.push([left + (back / last) * (right - left), y(values[last - back])]);
    }
    parts.push(path(points, `stroke="${colour}" stroke-width="2.5"`));
    const [x, height] = points[points.length - 1];
    const through = points.length > last; // else it ended at the floor
    const at = through ? place(height + 4) : height - 8;
    parts.push(text(x + 8, at, label, `fill="${colour}" font-weight="600"`));
  }
  parts.push(text(left, bottom + 22, `step ${last}`, 'class="soft"'));
  parts.push(text(right, bottom + 22, 'step 0', 'class="soft" text-anchor="end"'));
  return page(720, 436, title, parts);
}
