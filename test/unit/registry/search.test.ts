import { describe, expect, test } from "vitest";
import { IndexFile, bytesAsFile, encodeIndexFile } from "../../../src/registry/index-file.ts";
import { buildSearchSections } from "../../../src/registry/search-index.ts";
import { SearchReader } from "../../../src/registry/search-reader.ts";
import type { SearchDocument } from "../../../src/registry/search-text.ts";
import { generateTools, seededRandom } from "../../helpers/generated-registry.ts";
import { misspell, oracle } from "../../helpers/search-oracle.ts";

interface SearchEntry extends SearchDocument {
  readonly version: string;
}

/** One layer of an index, with what search reads of a record. */
function encode(entries: readonly SearchEntry[]): Uint8Array {
  const lines = entries.map(({ version, name, summary }) =>
    Buffer.from(JSON.stringify({ version, manifest: { name, summary } })),
  );
  let end = 0;
  const ends = Uint32Array.from(lines, (line) => (end += line.length));
  const records: [string, Uint8Array][] = [
    ["records", Buffer.concat(lines)],
    ["record-ends", new Uint8Array(ends.buffer)],
  ];
  return encodeIndexFile({}, new Map([...records, ...buildSearchSections(entries)]));
}

function openSearch(entries: readonly SearchEntry[]): SearchReader {
  return openLayers([{ entries, hidden: [] }]);
}

function openLayers(
  layers: readonly { readonly entries: readonly SearchEntry[]; readonly hidden: readonly number[] }[],
): SearchReader {
  return new SearchReader(
    layers.map(({ entries, hidden }) => ({
      index: new IndexFile(bytesAsFile(encode(entries))),
      hidden: new Set(hidden),
    })),
  );
}

function entry(name: string, rest: Partial<SearchEntry> = {}): SearchEntry {
  return { name, aliases: [], keywords: [], summary: "", version: "1.0", ...rest };
}

function names(reader: SearchReader, query: string, limit = 20): string[] {
  return reader.search(query, limit).map((hit) => hit.name);
}

describe("search", () => {
  test("ranks exact name, begin of a name, word of a name, keyword, inside a name, summary, typo", () => {
    const reader = openSearch(
      [
        entry("grep"),
        entry("grepcat"),
        entry("fast-grep"),
        entry("finder", { keywords: ["grep"] }),
        entry("ripgrep"),
        entry("seeker", { summary: "Like grep, but other" }),
      ].toSorted((left, right) => (left.name < right.name ? -1 : 1)),
    );
    expect(names(reader, "grep")).toEqual(["grep", "grepcat", "fast-grep", "finder", "ripgrep", "seeker"]);
    expect(names(openSearch([entry("grep")]), "gerp")).toEqual(["grep"]);
  });

  test("shows the name, the version and the summary of a hit", () => {
    const reader = openSearch([entry("rip-cat", { summary: "Search “archives”", version: "2.10" })]);
    expect(reader.search("ripcat", 5)).toEqual([
      { name: "rip-cat", version: "2.10", summary: "Search “archives”", matched: 1, score: 1000 },
    ]);
  });

  test("finds what was meant behind one typo of any kind, in short and in long words", () => {
    const reader = openSearch([entry("kubernetes-dashboard"), entry("python"), entry("ripgrep")]);
    for (const typed of ["pyhton", "ptyhon", "pythn", "pythoon", "pithon", "ython", "pythno"]) {
      expect([typed, ...names(reader, typed)]).toEqual([typed, "python"]);
    }
    for (const typed of ["kubernets", "kubernetse", "kuberentes", "dashbroad", "kubernetesdashbord"]) {
      expect([typed, ...names(reader, typed)]).toEqual([typed, "kubernetes-dashboard"]);
    }
    expect(names(reader, "xyzzy")).toEqual([]);
  });

  test("a word that is found as typed brings no typos of it", () => {
    const reader = openSearch([entry("cart"), entry("cast")]);
    expect(names(reader, "cart")).toEqual(["cart"]);
  });

  test("wants every word, and the most words when no entry has them all", () => {
    const reader = openSearch([
      entry("alpha", { summary: "view json files" }),
      entry("beta", { summary: "view yaml files" }),
      entry("gamma", { summary: "edit json" }),
    ]);
    expect(names(reader, "json files")).toEqual(["alpha"]);
    expect(names(reader, "yaml edit files")).toEqual(["beta"]);
    expect(names(reader, "json view unheard")).toEqual(["alpha"]);
  });

  test("separators make no difference, and neither does case", () => {
    const reader = openSearch([entry("rip-cat", { aliases: ["ripc.at"], keywords: ["C++ Tools"] })]);
    for (const typed of ["ripcat", "rip_cat", "RIP-CAT", "rip.cat", "c++", "tools"]) {
      expect([typed, ...names(reader, typed)]).toEqual([typed, "rip-cat"]);
    }
  });

  test("nothing to search for finds nothing", () => {
    const reader = openSearch([entry("a"), entry("b")]);
    for (const typed of ["", "  ", "--", "\u0000"]) expect(names(reader, typed)).toEqual([]);
    expect(names(openSearch([]), "anything")).toEqual([]);
    expect(openSearch([]).nearestNames("anything", 3)).toEqual([]);
    expect(names(reader, "a", 0)).toEqual([]);
  });

  test("summaries in other scripts are searched too", () => {
    const reader = openSearch([entry("suche", { summary: "Größe messen, 検索 ツール" })]);
    expect(names(reader, "größe")).toEqual(["suche"]);
    expect(names(reader, "検索")).toEqual(["suche"]);
  });

  test("suggests the nearest names of one that does not exist", () => {
    const reader = openSearch([entry("lstm-demo"), entry("ripcat"), entry("ripgrep", { aliases: ["rg-search"] })]);
    expect(reader.nearestNames("ripgerp", 3)).toEqual(["ripgrep"]);
    expect(reader.nearestNames("rg-serach", 3)).toEqual(["ripgrep"]);
    expect(reader.nearestNames("lstm", 3)).toEqual(["lstm-demo"]);
    expect(reader.nearestNames("zzzzzz", 3)).toEqual([]);
  });
});

function fail(): never {
  throw new Error("nothing to pick from");
}

const tools = generateTools(1_000);
const split = seededRandom(11);
/** What each layer has of the same tools: some are as they were before in the lowest one, some have gone since. */
const outdated = generateTools(300, 5).filter(({ name }) => !tools.some((tool) => tool.name === name));
const upper = tools.filter(() => split() < 0.1);
const lower = [
  ...tools.filter((tool) => !upper.includes(tool)),
  ...outdated,
  ...upper.slice(0, 40).map((tool) => ({ ...tool, summary: `obsolete ${tool.summary}`, keywords: ["obsolete"] })),
].toSorted((left, right) => (left.name < right.name ? -1 : 1));
const hidden = [...lower.entries()].flatMap(([at, { name }]) =>
  outdated.some((tool) => tool.name === name) || upper.some((tool) => tool.name === name) ? [at] : [],
);

test("what a higher layer replaces is not found any more, by nothing that it had", () => {
  const reader = openLayers([
    { entries: lower, hidden },
    { entries: upper, hidden: [] },
  ]);
  expect(names(reader, "obsolete")).toEqual(names(openSearch(tools), "obsolete"));
  for (const { name } of outdated.slice(0, 50)) expect(names(reader, name)).not.toContain(name);
});

describe.each([
  ["one layer", () => openSearch(tools)],
  [
    "two layers",
    () =>
      openLayers([
        { entries: lower, hidden },
        { entries: upper, hidden: [] },
      ]),
  ],
] as const)("search compared with a brute-force oracle over 1,000 entries in %s", (_, make) => {
  const entries = tools;
  const reader = make();
  const random = seededRandom(7);
  const pick = <T>(list: readonly T[]): T => list.at(Math.floor(random() * list.length)) ?? fail();
  const someWord = (): string => pick(pick(entries).summary.split(" "));
  const classes: Record<string, () => string> = {
    name: () => pick(entries).name,
    "begin of a name": () => pick(entries).name.slice(0, 2 + Math.floor(random() * 4)),
    "part of a name": () => pick(entries).name.slice(2, 6),
    word: someWord,
    "two words": () => `${someWord()} ${someWord()}`,
    "name and words": () => `${pick(entries).name} ${someWord()} ${someWord()}`,
    "misspelt name": () => misspell(pick(entries).name, random),
    "misspelt word": () => misspell(someWord(), random),
    "twice misspelt name": () => misspell(misspell(pick(entries).name, random), random),
  };

  for (const [kind, query] of Object.entries(classes)) {
    test(`${kind}: at least 99 % of what the oracle finds, in its order`, () => {
      let expected = 0;
      let found = 0;
      for (let round = 0; round < 60; round++) {
        const typed = query();
        const wanted = oracle(entries, typed).slice(0, 20);
        const got = reader.search(typed, 20).map(({ name, score }) => ({ name, score }));
        expected += wanted.length;
        const missing = wanted.filter((hit) => !got.some((other) => other.name === hit.name));
        found += wanted.length - missing.length;
        // Something missing lets others move up; with nothing missing the answers are the same, scores and order too.
        expect(got).toEqual(missing.length === 0 ? wanted : got);
      }
      expect(expected).toBeGreaterThan(0);
      expect(found / expected).toBeGreaterThanOrEqual(0.99);
    });
  }

  test("equal entries give equal bytes", () => {
    expect(Buffer.compare(encode(generateTools(1_000)), encode(entries))).toBe(0);
  });
});
