import { autotoolsRecipe } from "./autotools.ts";
import { cargoRecipe } from "./cargo.ts";
import { cmakeRecipe } from "./cmake.ts";
import { copyRecipe } from "./copy.ts";
import { fileRecipe } from "./file.ts";
import { goRecipe } from "./go.ts";
import { gradleRecipe } from "./gradle.ts";
import { makeRecipe } from "./make.ts";
import { mavenRecipe } from "./maven.ts";
import { mesonRecipe } from "./meson.ts";
import { npmRecipe } from "./npm.ts";
import { pythonRecipe } from "./python.ts";
import type { Recipe } from "./recipe.ts";

/** Every recipe that this version of ipm knows. A new one is a file beside this one and a line here. */
export const RECIPES: readonly Recipe[] = [
  npmRecipe,
  pythonRecipe,
  cargoRecipe,
  goRecipe,
  cmakeRecipe,
  mesonRecipe,
  autotoolsRecipe,
  makeRecipe,
  mavenRecipe,
  gradleRecipe,
  fileRecipe,
  copyRecipe,
];

/** The recipe of this name, or undefined. */
export function findRecipe(id: string): Recipe | undefined {
  return RECIPES.find((recipe) => recipe.id === id);
}
