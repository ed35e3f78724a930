import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

const SRC = path.resolve(import.meta.dirname, "../../src");
const MIDDLE = ["registry", "source", "trust", "sandbox", "execute", "store"];
const PURE = ["core", "manifest", "recipes", "plan"];

/** What each layer may import, besides itself. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  core: [],
  manifest: ["core"],
  recipes: ["core", "manifest"],
  plan: PURE,
  ...Object.fromEntries(MIDDLE.map((layer) => [layer, [...PURE, ...MIDDLE]])),
  usecases: [...PURE, ...MIDDLE],
  host: ["core"],
  cli: [...PURE, ...MIDDLE, "usecases", "host"],
};
/** Modules of Node that reach for the outside; a layer that is not named may import none of them. */
const OUTSIDE = /^(?:node:)?(?:fs|fs\/promises|child_process|os|process|http|https|net|readline)$/u;
const MAY_REACH_OUTSIDE = new Set(["host", "cli"]);
/** The proxy that enforces a step's declared network is part of the sandbox; it speaks the network by nature. */
const NETWORK_BY_NATURE = /^sandbox\/network-/u;

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    return entry.isDirectory() ? sources(file) : file.endsWith(".ts") ? [file] : [];
  });
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, "utf8");
  return [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"([^"]+)"/gu)].map((match) => match[1] ?? "");
}

const files = sources(SRC);

test("every import goes down", () => {
  const wrong = files.flatMap((file) => {
    const layer = path.relative(SRC, file).split(path.sep)[0] ?? "";
    return importsOf(file)
      .filter((target) => target.startsWith("."))
      .map((target) => path.relative(SRC, path.resolve(path.dirname(file), target)).split(path.sep)[0] ?? "")
      .filter((target) => target !== layer && ALLOWED[layer]?.includes(target) !== true)
      .map((target) => `${path.relative(SRC, file)} imports ${target}`);
  });
  expect(wrong).toEqual([]);
});

test("only host and cli reach for files, processes and the network", () => {
  const wrong = files.flatMap((file) => {
    const layer = path.relative(SRC, file).split(path.sep)[0] ?? "";
    if (MAY_REACH_OUTSIDE.has(layer) || NETWORK_BY_NATURE.test(path.relative(SRC, file))) return [];
    return importsOf(file)
      .filter((target) => OUTSIDE.test(target))
      .map((target) => `${path.relative(SRC, file)} imports ${target}`);
  });
  expect(wrong).toEqual([]);
});

test("what is pure reads no clock and no environment", () => {
  const reaching = /\bprocess\.|\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(/u;
  const wrong = files
    .filter((file) => PURE.includes(path.relative(SRC, file).split(path.sep)[0] ?? ""))
    .filter((file) => reaching.test(readFileSync(file, "utf8").replaceAll(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/gu, "")));
  expect(wrong.map((file) => path.relative(SRC, file))).toEqual([]);
});
