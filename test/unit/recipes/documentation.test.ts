import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { RECIPES } from "../../../src/recipes/recipes.ts";

const FOLDER = path.resolve(import.meta.dirname, "../../../docs/recipes");

test.each(
  RECIPES.filter(({ id }) => existsSync(path.join(FOLDER, `${id}.md`))).map((recipe) => [recipe.id, recipe] as const),
)("the page of %s names every option and no other", (id, recipe) => {
  const page = readFileSync(path.join(FOLDER, `${id}.md`), "utf8");
  const named = [...page.matchAll(/^\| `([a-z-]+)` \|/gmu)].map((match) => match[1]);
  const ofPackages = Object.keys(recipe.package?.options ?? {});
  const own = Object.keys(recipe.options);
  expect(own.filter((name) => !named.includes(name))).toEqual([]);
  expect(named.filter((name) => ![...own, ...ofPackages].includes(name ?? ""))).toEqual([]);
  expect(ofPackages.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});
