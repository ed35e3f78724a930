// @ts-check
/**
 * What this repository computes from the published weights, kept so that every later run, on every
 * machine, can be compared with it. Found by two programs in two languages (src/ and python/) that
 * agree to all digits given here.
 */

/** The worked example: x = 1, h = 1, c = 2. */
export const workedExample = {
  zf: 5.95, forget: 0.997401, kept: 1.994802, zg: 2.03, candidate: 0.966087, zi: 4.27, input: 0.986211,
  added: 0.952766, c: 2.947567, squashed: 0.99451, zo: 4.78, output: 0.991674, h: 0.986229,
};

/** Both companies, day by day, c to four decimals and h to six. */
export const companies = {
  A: { c: [-0.2012, -0.2022, -0.3246, 0.0153], h: [-0.127755, -0.096522, -0.166218, 0.006393] },
  B: { c: [0.4995, 0.9136, 1.4806, 2.4091], h: [0.276438, 0.611733, 0.867005, 0.969393] },
};

/** torch.manual_seed(42); torch.randn(8), as doubles. */
export const normals = [
  0.33669035438385886, 0.1288094051365897, 0.23446236336153173, 0.2303330279146119,
  -1.1228563767381703, -0.18632829929177447, 2.2082013355893912, -0.6379970567672183,
];

/** The re-training: rows [h, x, b] of f, i, g, o after 10,000 updates, and the answers on the way. */
export const trained = {
  rows: [
    [2.70427352, 1.63073812, 1.62337618],
    [1.99827292, 1.65248572, 0.62043554],
    [1.41222804, 0.93932464, -0.3217001],
    [4.38481417, -0.19427763, 0.59348062],
  ],
  answers: [
    { epoch: 0, A: -0.037653, B: -0.038272 },
    { epoch: 2000, A: 0.4342, B: 0.617091 },
    { epoch: 3000, A: 0.27076, B: 0.753379 },
    { epoch: 5000, A: 0.002168, B: 0.969264 },
  ],
};
