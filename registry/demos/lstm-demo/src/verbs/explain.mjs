// @ts-check
/** One step of the cell, result by result, beside what the article prints. */
import { sigmoid } from '../cell.mjs';
import { publishedWeights, sources, workedExample } from '../numbers.mjs';
import { number } from '../plot.mjs';
import { oneStep } from '../toy.mjs';

const { start, printed, roundedChain } = workedExample;

/** `2.70 h + 1.63 x + 1.62`. @param {number} gate */
function formula(gate) {
  const { h, x, b } = publishedWeights[gate];
  const signed = (/** @type {number} */ v) => `${v < 0 ? '-' : '+'} ${Math.abs(v).toFixed(2)}`;
  return `${h.toFixed(2)} h ${signed(x)} x ${signed(b)}`;
}

/** @type {import('../cli.mjs').Verb} */
export const explain = {
  name: 'explain',
  summary: 'one step of the cell: published and exact values',
  about: [
    'The worked example of "Understanding LSTMs" with the weights that StatQuest published.',
    'Other inputs work too: --x -10 shows gates that close.',
  ],
  picture: false,
  flags: {
    x: { type: 'number', value: start.x, least: -1000, most: 1000, help: 'the input' },
    h: { type: 'number', value: start.h, least: -1000, most: 1000, help: 'the short-term memory' },
    c: { type: 'number', value: start.c, least: -1000, most: 1000, help: 'the long-term memory' },
  },
  run({ x, h, c }, term) {
    const step = oneStep({ x, h, c });
    const asPrinted = x === start.x && h === start.h && c === start.c;
    const sum = (/** @type {number} */ gate, /** @type {number} */ z) =>
      `(${formula(gate)} = ${z.toFixed(2)})`;

    /** @type {[string, [string, string, string, number, string][]][]} key, label, name, value, how */
    const parts = [
      ['How much of the old memory stays', [
        ['forget', 'forget gate', 'f', step.forget, `sigmoid${sum(0, step.zf)}`],
        ['kept', 'kept', '', step.kept, 'f * c'],
      ]],
      ['What is added to it', [
        ['input', 'input gate', 'i', step.input, `sigmoid${sum(1, step.zi)}`],
        ['candidate', 'candidate', 'g', step.candidate, `tanh${sum(2, step.zg)}`],
        ['added', 'added', '', step.added, 'i * g'],
        ['c', 'long-term memory', 'c', step.c, 'kept + added'],
      ]],
      ['What is shown of it', [
        ['output', 'output gate', 'o', step.output, `sigmoid${sum(3, step.zo)}`],
        ['squashed', 'squashed memory', '', step.squashed, 'tanh(c)'],
        ['h', 'short-term memory', 'h', step.h, 'o * tanh(c)'],
      ]],
    ];

    term.line('  One step of an LSTM with one unit and one input');
    term.line();
    term.line(`  input x = ${x}    short-term memory h = ${h}    long-term memory c = ${c}`);
    const head = `${''.padEnd(62)}${'exact'.padStart(8)}${asPrinted ? '  article' : ''}`;
    parts.forEach(([title, rows], k) => {
      term.line();
      const heading = `  ${k + 1}  ${title}`;
      term.line(term.bold(heading) + (k ? '' : term.dim(head.slice(heading.length))));
      for (const [key, label, name, value, how] of rows) {
        const mark = roundedChain.includes(key) ? ' *' : '';
        const article = asPrinted ? `  ${printed[key].padStart(5)}${mark}` : '';
        const text = `  ${label.padEnd(18)}${name.padEnd(2)}${term.dim(how.padEnd(39))}`;
        term.line(`${text}${number(value).padStart(9)}${article}`);
      }
    });

    if (asPrinted) {
      term.line();
      term.note(
        '* The article takes the input gate as exactly 1 and goes on with rounded values: ' +
          '1.99 + 0.97 = 2.96, 0.99 * 0.99 = 0.98. Not rounded on the way, the three are ' +
          '0.95, 2.95 and 0.99. All its other values are the exact ones, rounded.',
      );
    }
    const away = oneStep({ x: -10, h: start.h, c: start.c });
    const minusTen = {
      asSum: { sigmoid: sigmoid(-10), tanh: Math.tanh(-10) },
      asInput: { forget: away.forget, input: away.input, candidate: away.candidate, c: away.c },
    };
    if (asPrinted || x === -10) {
      term.line();
      term.line(`  ${term.bold('An input of -10')} can be read in two ways; forget and input close both times:`);
      const { asSum, asInput } = minusTen;
      term.line(`  the weighted sum is -10   sigmoid ${number(asSum.sigmoid)}, tanh ${number(asSum.tanh)}`);
      term.line(
        `  x is -10                  forget ${number(asInput.forget)}, input ${number(asInput.input)}, ` +
          `candidate ${number(asInput.candidate)}`,
      );
    }
    term.seen(
      asPrinted
        ? 'Seen: every result of the article is one line of arithmetic; three of its values ' +
            'carry the rounding of earlier steps, and the output is 0.986, not 0.98.'
        : `Seen: the cell kept ${percent(step.forget)} of its memory, took in ` +
            `${percent(step.input)} of the candidate and now says ${number(step.h)}.`,
    );
    return {
      ok: true,
      result: {
        verb: 'explain', start: { x, h, c }, weights: publishedWeights,
        exact: step, article: asPrinted ? printed : null,
        roundedInArticle: asPrinted ? roundedChain : [], minusTen, sources,
      },
    };
  },
};

/** @param {number} part */
function percent(part) {
  const value = part * 100;
  return `${value === 0 || value >= 0.01 ? value.toFixed(2) : value.toExponential(1)} %`;
}
