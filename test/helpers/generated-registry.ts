/** Made-up tools that look like real ones, the same for the same seed. */

const STEMS =
  "fast tiny smart open super micro git cloud data json yaml log file disk net port proc term code lint test build pack ship dock helm vault image audio video text mark graph chart table tree list diff merge sync cache queue stream event date zone map route proxy load scan trace watch guard lock cert sign hash crypt tar split join sort find grep seek view edit note task plan mail feed web http api rest rpc sql redis mongo lite arrow torch model prompt token embed".split(
    " ",
  );
const ENDINGS =
  "ctl cli kit box hub lab ify er tool man view top stat cat rs go py js up run make gen fmt check dump load db mq it me now lite pro max core base flow line link mesh node pod wave".split(
    " ",
  );
const WORDS =
  "a fast simple modern command line tool written for developers that helps you to manage inspect search convert visualize monitor deploy debug profile format validate your files logs containers clusters databases images repositories branches commits secrets certificates environments with colored output fuzzy matching interactive mode zero configuration plugins and support of many formats including terminal user interface streaming large parallel on all platforms".split(
    " ",
  );

/** Numbers from 0 (inclusive) to 1 (exclusive): mulberry32, public domain. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d_2b_79_f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface GeneratedTool {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly keywords: readonly string[];
  readonly summary: string;
  readonly version: string;
  readonly owner: string;
}

/** `count` tools with different names, sorted by name. Words of summaries are as unevenly common as in real text. */
export function generateTools(count: number, seed = 1): GeneratedTool[] {
  const random = seededRandom(seed);
  const pick = (list: readonly string[]): string => list[Math.floor(random() * list.length)] ?? "";
  const syllables =
    "ba be bi bo bu da de di do du ka ke ki ko ku la le li lo lu ma me mi mo mu na ne ra re ri ro ru sa se si so ta te ti to".split(
      " ",
    );
  const rare = Array.from({ length: Math.max(200, Math.floor(count / 5)) }, () =>
    Array.from({ length: 2 + Math.floor(random() * 3) }, () => pick(syllables)).join(""),
  );
  // Zipf's law: the n-th word is n times as rare as the first.
  const word = (): string =>
    random() < 0.6 ? pick(WORDS) : (rare[Math.floor(Math.exp(random() * Math.log(rare.length))) - 1] ?? pick(rare));
  const names = new Set<string>();
  while (names.size < count) {
    const shape = random();
    let name = pick(STEMS) + pick(ENDINGS);
    if (shape > 0.4) name = shape > 0.8 ? `${name}-${pick(STEMS)}` : `${pick(STEMS)}-${name}`;
    if (names.has(name)) name = `${name}-${pick(ENDINGS)}`;
    if (names.has(name)) name = `${name}${Math.floor(random() * 9999)}`;
    names.add(name);
  }
  return [...names].toSorted().map((name) => ({
    name,
    aliases: random() < 0.05 ? [`${name}-alias`] : [],
    keywords: [pick(STEMS), pick(WORDS)],
    summary: Array.from({ length: 6 + Math.floor(random() * 8) }, word).join(" "),
    version: `${Math.floor(random() * 5)}.${Math.floor(random() * 30)}.${Math.floor(random() * 20)}`,
    owner: pick(STEMS) + pick(ENDINGS),
  }));
}
