import { IpmError } from "../core/errors.ts";
import type { Recipe, RecipeInput, RecipeOutput } from "./recipe.ts";

function textOption(input: RecipeInput, name: string, fallback: string): string {
  const value = input.options[name] ?? fallback;
  if (typeof value !== "string" || value === "") {
    throw new IpmError("MANIFEST_INVALID", `recipe copy: option ${name} must be a path`, { hint: "ipm lint PATH" });
  }
  return value;
}

function listOption(input: RecipeInput, name: string): readonly string[] {
  const value = input.options[name] ?? [];
  if (!Array.isArray(value) || !value.every((item): item is string => typeof item === "string")) {
    throw new IpmError("MANIFEST_INVALID", `recipe copy: option ${name} must be a list of names`, {
      hint: "ipm lint PATH",
    });
  }
  return value;
}

/** The repository as it is: nothing is built and nothing of it runs. */
export const copyRecipe: Recipe = {
  id: "copy",
  summary: "Copy the checkout, or a part of it, into the prefix; nothing is built and nothing runs.",
  options: {
    from: "folder or file of the checkout; default: all of it",
    to: "where it goes in the prefix; default: its root",
    exclude: "names directly below `from` that are left out",
  },
  reads: () => [],
  expand(input): RecipeOutput {
    const from = textOption(input, "from", ".");
    const to = textOption(input, "to", ".");
    const known = from === "." || input.files.some(({ path }) => path === from || path.startsWith(`${from}/`));
    if (!known) {
      throw new IpmError("MANIFEST_INVALID", `recipe copy: the repository has no ${from} at this commit`, {
        hint: "correct `from`",
      });
    }
    const what = from === "." ? "the repository" : from;
    return {
      steps: [
        {
          kind: "copy",
          title: to === "." ? `copy ${what}` : `copy ${what} to ${to}`,
          why: null,
          from,
          to,
          exclude: listOption(input, "exclude"),
        },
      ],
      requires: [],
      bins: {},
      notices: [],
    };
  },
};
