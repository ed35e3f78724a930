import { operandsOf, programOf } from "../../shell-commands.ts";
import type { ShellCommand } from "../../shell-commands.ts";
import { stepCommands } from "../places.ts";
import type { LintRule } from "../rule.ts";

/** The recipe that does what a command does, or undefined. */
export function recipeFor(command: ShellCommand): string | undefined {
  const program = programOf(command);
  const [verb = "", second = ""] = operandsOf(command);
  if (/^(?:npm|pnpm|yarn|bun)$/u.test(program))
    return /^(?:install|i|ci|add|rebuild|link|pack|)$/u.test(verb) ||
      (verb === "run" && /^(?:build|prepare)$/u.test(second))
      ? "npm"
      : undefined;
  if (/^(?:pip[0-9.]*|pipx|poetry|uv|pdm|hatch)$/u.test(program))
    return /^(?:install|sync|build|pip)$/u.test(verb) ? "python" : undefined;
  if (/^python[0-9.]*$/u.test(program)) {
    if (/^setup\.py$/u.test(verb)) return "python";
    return command.words.includes("-m") && /^(?:pip|venv|build|poetry)$/u.test(verb) ? "python" : undefined;
  }
  if (program === "virtualenv") return "python";
  if (program === "cargo") return /^(?:build|install|b)$/u.test(verb) ? "cargo" : undefined;
  if (program === "go") return /^(?:build|install|get)$/u.test(verb) ? "go" : undefined;
  // `make completions` is a part that no recipe knows.
  if (program === "make" || program === "gmake") return /^(?:|all|install|build)$/u.test(verb) ? "make" : undefined;
  if (program === "cmake") return "cmake";
  if (program === "meson" || program === "ninja") return "meson";
  if (/^(?:configure|autogen\.sh|autoreconf)$/u.test(program)) return "autotools";
  if (/^mvnw?$/u.test(program)) return "maven";
  return /^gradlew?$/u.test(program) ? "gradle" : undefined;
}

export const shellInsteadOfRecipe: LintRule = {
  code: "SHELL_INSTEAD_OF_RECIPE",
  severity: "warning",
  means: "A step does by hand what a recipe does.",
  why: "Recipes keep to the prefix, the lockfile, the machine's processors and the declared network; a command written by hand mostly forgets one of them.",
  cure: "Use the recipe; `with` has its options.",
  bad: "steps: [{ run: npm ci && npm run build, why: the command is built, network: [npm] }]",
  good: "steps: [uses: npm]",
  check: (subject) => {
    const seen = new Set<string>();
    return stepCommands(subject).flatMap(({ path, command }) => {
      const recipe = recipeFor(command);
      const place = JSON.stringify([path, recipe]);
      if (recipe === undefined || seen.has(place)) return [];
      seen.add(place);
      return [
        {
          path,
          message: `\`${command.words.slice(0, 2).join(" ")}\` is what the recipe ${recipe} does`,
          hint: `uses: ${recipe}`,
        },
      ];
    });
  },
};
