import { describe, expect, test } from "vitest";
import {
  checkOptions,
  flagOption,
  listOption,
  pathsOption,
  textOption,
  wordOption,
} from "../../../src/recipes/options.ts";
import { expandIn } from "../../helpers/recipe-input.ts";
import { copyRecipe } from "../../../src/recipes/copy.ts";

const RECIPE = { id: "x", options: { features: "", package: "" } };

describe("options of recipes", () => {
  test("one that does not exist is refused with the nearest", () => {
    expect(() => checkOptions(RECIPE, { feature: "a" })).toThrow("there is no option feature; did you mean features?");
    expect(() => checkOptions(RECIPE, { zzz: "a" })).toThrow("it has features, package");
    expect(() => checkOptions({ id: "x", options: {} }, { zzz: "a" })).toThrow("it has none");
    expect(() => checkOptions(RECIPE, { package: "a" })).not.toThrow();
  });

  test("values of the wrong form are refused by name", () => {
    expect(() => textOption("x", { a: [] }, "a")).toThrow("option a must be a text");
    expect(() => flagOption("x", { a: "yes" }, "a")).toThrow("true or false");
    expect(() => listOption("x", { a: ["b", {}] }, "a")).toThrow("a list of texts");
    expect(() => wordOption("x", { a: "c" }, "a", ["a", "b"])).toThrow("one of a, b");
    expect(() => pathsOption("x", { a: ["/etc"] }, "a")).toThrow("not a path");
    expect(() => textOption("x", { a: "b\0" }, "a")).toThrow("must be a text");
  });

  test("one text is a list of one, paths get their plain form", () => {
    expect(listOption("x", { a: "b" }, "a")).toEqual(["b"]);
    expect(pathsOption("x", { a: "./b//c/../d" }, "a")).toEqual(["b/d"]);
  });
});

describe("the copy recipe", () => {
  test("copies all of it, or a part to a place", () => {
    expect(expandIn(copyRecipe, { a: "" }).steps).toMatchObject([{ kind: "copy", from: ".", to: "." }]);
    expect(
      expandIn(copyRecipe, { "a/b": "" }, { options: { from: "a", to: "lib", exclude: ["c"] } }).steps,
    ).toMatchObject([{ from: "a", to: "lib", exclude: ["c"] }]);
  });

  test("a part that is not there is refused", () => {
    expect(() => expandIn(copyRecipe, { a: "" }, { options: { from: "b" } })).toThrow("no b at this commit");
  });
});
