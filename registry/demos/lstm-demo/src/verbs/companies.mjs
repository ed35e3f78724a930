// @ts-check
/** The two made-up companies, day by day, and the training that finds the published weights. */
import { forward, lstmTrace } from '../cell.mjs';
import { publishedTraining, publishedWeights } from '../numbers.mjs';
import { companies } from '../tasks.mjs';
import { answer, published, toRows, trainToy, untrained } from '../toy.mjs';
import { companiesPicture } from '../svg.mjs';

/** The states of both companies after every day. @param {import('../cell.mjs').Lstm} p */
function daysOf(p) {
  return companies.map(({ name, days, next }) => {
    const trace = lstmTrace(p, days.length);
    forward(p, Float64Array.from(days), trace);
    const steps = days.map((x, k) => {
      const [f, i, g, o, c, h] = ['f', 'i', 'g', 'o', 'c', 'h'].map(
        (key) => /** @type {any} */ (trace)[key][k + 1],
      );
      return { day: k + 1, x, f, i, g, o, c, h };
    });
    return { name, next, answer: steps[steps.length - 1].h, days: steps };
  });
}

/** @type {import('../cli.mjs').Verb} */
export const companiesVerb = {
  name: 'companies',
  summary: 'two sequences day by day; --train finds the weights',
  about: [
    'Companies A and B are two made-up sequences of four numbers that differ on day 1 only.',
    'The cell has to remember day 1 and say it on day 5. This predicts no price of anything.',
  ],
  picture: true,
  flags: {
    train: { type: 'switch', help: 'learn the twelve weights again' },
    seed: {
      type: 'whole', value: publishedTraining.seed, least: 0, most: 2 ** 32 - 1,
      help: 'of the starting weights, with --train',
    },
  },
  run({ train, seed }, term) {
    const p = train ? untrained(seed) : published();
    const training = train ? retrain(p, seed, term) : undefined;
    const result = daysOf(p);
    if (!train) {
      term.line('  Two made-up sequences that differ on day 1 only. What was it? The cell has to');
      term.line('  say it after day 4. Weights: the twelve that StatQuest published.');
      for (const { name, days, next, answer: last } of result) {
        term.line();
        term.line(`  ${term.bold(`Company ${name}`)}`);
        const head = '  day     x  forget        input         output      candidate       c       h';
        term.line(term.dim(head));
        for (const { day, x, f, i, g, o, c, h } of days) {
          const gates = [f, i, o].map((v) => `${term.bar(v, 8)} ${v.toFixed(2)}`).join(' ');
          const rest = g.toFixed(2).padStart(6) + c.toFixed(3).padStart(8) + h.toFixed(3).padStart(8);
          term.line(`  ${day}    ${x.toFixed(2)}  ${gates}  ${rest}`);
        }
        term.line(`  day 5: the cell says ${last.toFixed(3)}, it should say ${next}`);
      }
      const [A, B] = result;
      term.seen(
        `Seen: three days after the only difference the cell still tells B (${B.answer.toFixed(3)}) ` +
          `from A (${A.answer.toFixed(3)}): close to 1 and 0, not equal to them.`,
      );
    }
    return {
      ok: true,
      result: { verb: 'companies', weights: toRows(p), companies: result, ...(training && { training }) },
      svg: () => companiesPicture(result),
    };
  },
};

/** @param {import('../cell.mjs').Lstm} p @param {number} seed @param {import('../plot.mjs').Terminal} term */
function retrain(p, seed, term) {
  const both = () => companies.map(({ days }) => answer(p, days));
  /** @type {{ epoch: number, A: number, B: number }[]} */
  const epochs = [];
  const keep = (/** @type {number} */ epoch) => {
    const [A, B] = both();
    epochs.push({ epoch, A, B });
  };
  keep(0);
  const began = performance.now();
  trainToy(p, { look: (epoch) => epoch % 1000 === 0 && keep(epoch) });
  const ms = performance.now() - began;

  term.line(`  Learning the twelve weights from company A (0) and B (1), seed ${seed}:`);
  term.line('  Adam, rate 0.001, one company at a time, 5,000 epochs = 10,000 updates');
  term.line();
  term.line(term.dim('  epoch       A                          B'));
  for (const { epoch, A, B } of epochs) {
    const [a, b] = [A, B].map((v) => `${v.toFixed(4).padStart(7)}  ${term.bar(v, 16)}`);
    term.line(`  ${String(epoch).padStart(5)} ${a}  ${b}`);
  }
  const rows = toRows(p);
  let equal = 0;
  term.line();
  term.line(term.dim('              weight of h           weight of x              bias'));
  term.line(term.dim('            published  learnt     published  learnt     published  learnt'));
  publishedWeights.forEach(({ gate, ...row }, k) => {
    const cells = [row.h, row.x, row.b].map((value, column) => {
      const same = rows[k][column].toFixed(2) === value.toFixed(2);
      if (same) equal++;
      const learnt = rows[k][column].toFixed(4).padStart(9);
      return `${value.toFixed(2).padStart(9)}${same ? term.good(learnt) : term.bad(learnt)}`;
    });
    term.line(`  ${gate.padEnd(10)}${cells.join('    ')}`);
  });
  const time = `${(ms / 1000).toFixed(2)} s`;
  const { A, B } = epochs[epochs.length - 1];
  let seen = `in ${time} this start did not learn to tell A from B: some starts need more epochs.`;
  if (A < 0.2 && B > 0.8) {
    seen =
      `in ${time} this start learns A and B too, with other weights (${equal} of 12 as published): ` +
      'the published ones are one solution among many.';
  }
  if (equal === 12) {
    seen =
      `in ${time} all twelve weights come out as published, to their two decimals, because the run ` +
      'starts from the same random numbers.';
  }
  term.seen(`Seen: ${seen}`);
  return { seed, updates: 10000, ms: Math.round(ms), equalToTwoDecimals: equal, epochs };
}
