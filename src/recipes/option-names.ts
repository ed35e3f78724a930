import { PACKAGE_RECIPES } from "../manifest/package-reference.ts";
import { RECIPES } from "./recipes.ts";

const FROM_PACKAGE: ReadonlySet<string> = new Set(Object.values(PACKAGE_RECIPES));

/** By recipe, every option that a step may give it, from a checkout or from a package. */
export function recipeOptionNames(): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    RECIPES.map((recipe) => [
      recipe.id,
      [
        ...new Set([
          ...Object.keys(recipe.options),
          ...Object.keys(recipe.package?.options ?? {}),
          ...(FROM_PACKAGE.has(recipe.id) ? ["from"] : []),
        ]),
      ],
    ]),
  );
}
