import { IpmError } from "../core/errors.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { Candidate, DetectInput } from "./candidate.ts";
import { NO_FACTS } from "./candidate.ts";
import { insidePath, nameOf } from "./listing.ts";
import { listOption, textOption } from "./options.ts";
import type { Recipe, RecipeOutput } from "./recipe.ts";

const ID = "copy";

/** A repository of one script: an executable file whose name is the repository's, with or without an ending. */
function detect({ files, name }: DetectInput): readonly Candidate[] {
  if (name === "") return [];
  const wanted = name.toLowerCase();
  const script = files.find(({ path, executable }) => {
    const own = nameOf(path).toLowerCase();
    return executable && path.split("/").length <= 2 && (own === wanted || own.replace(/\.[a-z]+$/u, "") === wanted);
  });
  if (script === undefined) return [];
  return [
    {
      recipe: ID,
      dir: null,
      confidence: "possible",
      evidence: [`${script.path} executable, named like the repository`],
      bins: { [wanted]: script.path },
      requires: [],
      options: {},
      about: { ...NO_FACTS, name: wanted },
      doubts: ["the interpreter of the script is a requirement of its own"],
    },
  ];
}

/** The repository as it is: nothing is built and nothing of it runs. */
export const copyRecipe: Recipe = {
  id: ID,
  summary: "Copy the checkout, or a part of it, into the prefix; nothing is built and nothing runs.",
  options: {
    from: "folder or file of the checkout; default: all of it",
    to: "where it goes in the prefix; default: its root",
    exclude: "names directly below `from` that are left out",
  },
  reads: () => [],
  detectReads: () => [],
  detect,
  expand(input): RecipeOutput {
    const from = textOption(ID, input.options, "from") ?? ".";
    const to = textOption(ID, input.options, "to") ?? ".";
    if (insidePath(to) === undefined) {
      throw new IpmError("MANIFEST_INVALID", `recipe copy: option to: ${escapeUntrusted(to)} leaves the prefix`, {
        hint: "see docs/recipes/copy.md",
      });
    }
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
          exclude: listOption(ID, input.options, "exclude"),
        },
      ],
      requires: [],
      bins: {},
      notices: [],
    };
  },
};
