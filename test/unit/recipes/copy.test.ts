import { expect, test } from "vitest";
import { copyRecipe } from "../../../src/recipes/copy.ts";
import type { RecipeOutput } from "../../../src/recipes/recipe.ts";
import { viewOfFiles } from "../../helpers/recipe-repository.ts";

function expandCopy(options: Readonly<Record<string, unknown>>): RecipeOutput {
  return copyRecipe.expand({ ...viewOfFiles({ "bin/rc": "", "docs/a.md": "" }), options, bins: ["rc"], version: "1" });
}

test("by default everything goes to the root of the prefix, and nothing is needed for it", () => {
  expect(expandCopy({})).toEqual({
    steps: [{ kind: "copy", title: "copy the repository", why: null, from: ".", to: ".", exclude: [] }],
    requires: [],
    bins: {},
    notices: [],
  });
});

test("a part of it, elsewhere, without some names", () => {
  expect(expandCopy({ from: "docs", to: "share/doc", exclude: ["a.md"] }).steps).toEqual([
    { kind: "copy", title: "copy docs to share/doc", why: null, from: "docs", to: "share/doc", exclude: ["a.md"] },
  ]);
  expect(expandCopy({ from: "bin/rc" }).steps[0]?.title).toBe("copy bin/rc");
});

test.each([
  { from: "doc" },
  { from: "docs/b.md" },
  { from: "" },
  { from: 3 },
  { exclude: [1] },
  { to: "../x" },
  { to: "/etc" },
])("%j is refused before anything runs", (options) => {
  expect(() => expandCopy(options)).toThrow(expect.objectContaining({ code: "MANIFEST_INVALID" }));
});
