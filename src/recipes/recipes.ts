import { copyRecipe } from "./copy.ts";
import { npmRecipe } from "./npm.ts";
import type { Recipe } from "./recipe.ts";

/** Every recipe that this version of ipm knows. A new one is a file beside this one and a line here. */
export const RECIPES: readonly Recipe[] = [copyRecipe, npmRecipe];

/** The recipe of this name, or undefined. */
export function findRecipe(id: string): Recipe | undefined {
  return RECIPES.find((recipe) => recipe.id === id);
}
