/**
 * The parts of the registry's benchmark that run ipm's own code, bundled and started by `registry.mjs`:
 *
 *     generate FOLDER COUNT          a registry of made-up tools
 *     change FOLDER COUNT ROUND      other versions of so many of its tools, others in each round; says their names
 *     parse FOLDER                   read every manifest and parse it with `yaml`, as anybody would
 *     compile FOLDER FILE            its index
 *     recall COUNT FILE              how much of what a brute-force search finds the index in FILE finds, of such tools
 *     update FOLDER FILE NAMES       the index with some names changed, from the one in FILE; says the milliseconds
 */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { createFiles } from "../../src/host/files.ts";
import { compileIndex } from "../../src/registry/compile-index.ts";
import { updateIndex } from "../../src/registry/update-index.ts";
import { IndexFile } from "../../src/registry/index-file.ts";
import { RegistryIndex } from "../../src/registry/registry-index.ts";
import { folderTree } from "../../src/registry/registry-tree.ts";
import { type GeneratedTool, generateTools, seededRandom } from "../helpers/generated-registry.ts";
import { misspell, oracle } from "../helpers/search-oracle.ts";

const hex = (random: () => number, length: number): string =>
  Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join("");

/** As long as the format allows. */
function summaryOf({ summary }: GeneratedTool): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}`.slice(0, 110).trim();
}

/** About a kilobyte, as manifests of small tools are. */
function manifestOf(tool: GeneratedTool, seed: number): string {
  const { name, aliases, keywords, version, owner } = tool;
  const random = seededRandom(seed);
  const [major = "0", minor = "0", patch = "0"] = version.split(".");
  const versions = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, age) => {
    const text = `${major}.${minor}.${Number(patch) + 3 - age}`;
    return `  - version: ${text}
    ref: refs/tags/v${text}
    commit: ${hex(random, 40)}
    tree: ${hex(random, 40)}
    added: 202${5 - age}-0${1 + Math.floor(random() * 9)}-1${Math.floor(random() * 9)}
`;
  });
  return `schema: ipm/v1
name: ${name}
summary: ${summaryOf(tool)}
license: MIT
homepage: https://${name}.example.org
keywords: [${keywords.join(", ")}]
maintainers: [${owner}]
${aliases.length === 0 ? "" : `aliases: [${aliases.join(", ")}]\n`}source:
  git: https://git.example.org/${owner}/${name}.git
versions:
${versions.join("")}requires:
  - tool: node
    version: ">=${18 + Math.floor(random() * 4)}"
  - tool: make
steps:
  - run: make -j4
    why: builds the program of ${name}
    timeout: ${5 + Math.floor(random() * 20)}m
  - run: [make, install, PREFIX=out]
    why: installs it
  - uses: copy
bin: [${name}-tool]
tests:
  - run: ${name}-tool --version
    expect:
      stdout: "^${name} {version}"
`;
}

function write(folder: string, tool: GeneratedTool, seed: number): void {
  const own = path.join(folder, "packages", tool.name);
  mkdirSync(own, { recursive: true });
  writeFileSync(path.join(own, "manifest.yaml"), manifestOf(tool, seed));
}

function generate(folder: string, count: number): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, "registry.yaml"), "id: bench\nname: Bench\nmaintainers: [octocat]\n");
  for (const [seed, tool] of generateTools(count).entries()) write(folder, tool, seed);
}

function change(folder: string, count: number, round: number): string[] {
  const names = readdirSync(path.join(folder, "packages"));
  const random = seededRandom(round);
  const chosen = Array.from({ length: count }, () => names[Math.floor(random() * names.length)] ?? "");
  for (const [at, name] of chosen.entries()) {
    const tool: GeneratedTool = {
      name,
      aliases: [],
      keywords: ["changed"],
      summary: `changed in round ${round}`,
      version: `9.${round}.${at}`,
      owner: "bench",
    };
    write(folder, tool, 1_000_000 * round + at);
  }
  return [...new Set(chosen)];
}

/** Misspelt names and words, pieces of names, several words: what is found of the first twenty hits of each. */
async function recall(count: number, file: string): Promise<{ queries: number; expected: number; found: number }> {
  const tools = generateTools(count).map((tool) => ({ ...tool, summary: summaryOf(tool) }));
  const opened = createFiles().openForReading(file);
  if (opened === undefined) throw new Error(`there is no ${file}`);
  const index = new RegistryIndex([new IndexFile(opened)]);
  const random = seededRandom(13);
  const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];
  const name = (): string => pick(tools)?.name ?? "";
  const word = (): string => pick((pick(tools)?.summary ?? "").split(" ")) ?? "";
  const kinds = [
    name,
    () => misspell(name(), random),
    () => misspell(misspell(name(), random), random),
    () => name().slice(2, 7),
    () => misspell(word(), random),
    () => `${word()} ${misspell(word(), random)}`,
  ];
  const queries = Array.from({ length: 30 }, (_, at) => kinds[at % kinds.length]?.() ?? "");
  let expected = 0;
  let found = 0;
  for (const query of queries) {
    const wanted = oracle(tools, query).slice(0, 20);
    const got = new Set((await index.search(query, 20)).map((hit) => hit.name));
    expected += wanted.length;
    found += wanted.filter((hit) => got.has(hit.name)).length;
  }
  return { queries: queries.length, expected, found };
}

function parseAll(folder: string): number {
  let keys = 0;
  for (const name of readdirSync(path.join(folder, "packages"))) {
    const text = readFileSync(path.join(folder, "packages", name, "manifest.yaml"), "utf8");
    keys += Object.keys(parse(text) as object).length;
  }
  return keys;
}

async function main([mode = "", folder = "", first = "", second = ""]: readonly string[]): Promise<unknown> {
  const tree = folderTree(createFiles(), folder);
  switch (mode) {
    case "generate":
      return generate(folder, Number(first));
    case "change":
      return change(folder, Number(first), Number(second));
    case "parse":
      return parseAll(folder);
    case "compile": {
      const { bytes, meta } = await compileIndex(tree, { key: "bench" });
      writeFileSync(first, bytes);
      return meta.entries;
    }
    case "recall":
      return recall(Number(folder), first);
    case "update": {
      const begin = performance.now();
      const file = createFiles().openForReading(first);
      if (file === undefined) throw new Error(`there is no ${first}`);
      const names = new Set(second.split(","));
      const updated = await updateIndex(
        tree,
        new RegistryIndex([new IndexFile(file)]),
        { names, all: false },
        { key: "x" },
      );
      writeFileSync(`${first}.layer`, updated?.bytes ?? "");
      return performance.now() - begin;
    }
    default:
      throw new Error(`no such mode: ${mode}`);
  }
}

void main(process.argv.slice(2)).then((answer) => process.stdout.write(`${JSON.stringify(answer ?? null)}\n`));
