// @ts-check
/**
 * The published numbers, as data, each with its source. Nothing here was computed by this
 * repository; the tests compare what it computes with these.
 *
 * [RR] Rijul Rajesh, "Understanding LSTMs", dev.to/rijultp, 2026, parts 3 to 7: the text's results.
 * [SQ] Josh Starmer, "Long Short-Term Memory (LSTM), Clearly Explained", StatQuest, and the figure
 *      chapter_08/images/lstm_image.001.png of github.com/StatQuest/signa: the twelve weights.
 *      The article uses the same cell. Only the numbers are used here.
 */

export const sources = {
  RR: 'Rijul Rajesh, "Understanding LSTMs", dev.to/rijultp, 2026, parts 3 to 7',
  SQ: 'Josh Starmer, "Long Short-Term Memory (LSTM), Clearly Explained", StatQuest',
};

/**
 * [SQ] One row per gate, in the order f, i, g, o: the weight of the short-term memory h first,
 * then the weight of the input x, then the bias. Swapping the first two is the classic mistake.
 */
export const publishedWeights = [
  { gate: 'forget', h: 2.7, x: 1.63, b: 1.62 },
  { gate: 'input', h: 2.0, x: 1.65, b: 0.62 },
  { gate: 'candidate', h: 1.41, x: 0.94, b: -0.32 },
  { gate: 'output', h: 4.38, x: -0.19, b: 0.59 },
];

/**
 * [RR] The worked example: c = 2, h = 1, x = 1, and the results as the text prints them. `kept` and
 * the output's weighted sum stand in pictures only; 1.99 follows from 2.96 - 0.97.
 */
export const workedExample = {
  start: { x: 1, h: 1, c: 2 },
  /** @type {Record<string, string>} */
  printed: {
    forget: '0.997', // part 3
    kept: '1.99',
    candidate: '0.97', // part 5
    input: '1.0', // part 5, "approximately"
    added: '0.97', // part 5
    c: '2.96', // part 6
    squashed: '0.99', // part 6
    output: '0.99', // part 6
    h: '0.98', // part 6
  },
  /** Printed results that are not the exact ones, rounded: see the note of `explain`. */
  roundedChain: ['added', 'c', 'h'],
};

/** [SQ] The published training: torch, seed 42, Adam 0.001, 5,000 epochs of A then B. */
export const publishedTraining = { seed: 42, rate: 0.001, epochs: 5000 };
