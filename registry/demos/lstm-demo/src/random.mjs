// @ts-check
/**
 * Random numbers that are the same everywhere: the Mersenne Twister MT19937 (Matsumoto and
 * Nishimura 1998) from its published recurrence. With the same seed and the same way of drawing
 * it repeats what torch.manual_seed does, so a training run published with torch can be repeated
 * here from the same starting weights.
 */

/** @typedef {{ u32: () => number, u53: () => number, uniform: (low: number, high: number) => number, below: (n: number) => number }} Random */

/** @param {number} seed @returns {Random} */
export function mersenneTwister(seed) {
  const N = 624;
  const M = 397;
  const state = new Uint32Array(N);
  state[0] = seed;
  for (let k = 1; k < N; k++) {
    const last = state[k - 1];
    state[k] = Math.imul(1812433253, last ^ (last >>> 30)) + k;
  }
  let at = N;

  function twist() {
    for (let k = 0; k < N; k++) {
      const y = (state[k] & 0x80000000) | (state[(k + 1) % N] & 0x7fffffff);
      state[k] = state[(k + M) % N] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    at = 0;
  }

  function u32() {
    if (at === N) twist();
    let y = state[at++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    y ^= y >>> 18;
    return y >>> 0;
  }

  /** 53 random bits as a number in [0, 1): two draws, the high word first, as torch does. */
  function u53() {
    const high = u32();
    const low = u32();
    return ((high & 0x1fffff) * 2 ** 32 + low) / 2 ** 53;
  }

  return {
    u32,
    u53,
    uniform: (low, high) => low + (high - low) * u53(),
    below: (n) => Math.floor(u53() * n),
  };
}

/**
 * Normal numbers by Box and Muller, two at a time, the cosine first: torch.randn on the CPU for
 * fewer than 16 values. An error in the order changes every weight that is learnt from them.
 * @param {number} seed @param {number} count
 */
export function torchNormals(seed, count) {
  const { u53 } = mersenneTwister(seed);
  const out = [];
  while (out.length < count) {
    const angle = 2 * Math.PI * u53();
    const radius = Math.sqrt(-2 * Math.log1p(-u53()));
    out.push(radius * Math.cos(angle), radius * Math.sin(angle));
  }
  return out.slice(0, count);
}
