import { z } from "zod";
import { isRefName, parseGitUrl } from "../core/git-url.ts";
import { isCommitSha, isLauncherName, isPlanDigest, isToolName, isTreeSha, isVersion } from "../core/ids.ts";
import type { CommitSha, ToolName, TreeSha } from "../core/ids.ts";
import { nearest } from "../core/nearest.ts";
import { isDeniedEnvironmentName } from "./denied-environment.ts";
import { parseDuration } from "./duration.ts";
import { ECOSYSTEMS } from "./ecosystems.ts";
import type { FindingCode } from "./finding.ts";
import { HARDWARE_NAMES } from "./known-hardware.ts";
import { KNOWN_SERVICES, serviceAddresses } from "./known-services.ts";
import { parsePackageReference } from "./package-reference.ts";
import { RECIPE_NAMES } from "./recipe-names.ts";
import { relativePathProblem } from "./relative-path.ts";
import { quoted } from "./source-text.ts";

/*
 * The only definition of the format. It reads plain data in which every scalar is a text (`yaml-document.ts`), so `2.10`
 * stays `2.10`; the keys that are numbers or true/false convert here. The types, `schema/manifest.schema.json` and
 * `docs/manifest.md` come from this file. What concerns several keys at once is in `check-manifest.ts`.
 */

export const SCHEMA_ID = "ipm/v1";

interface TextRule {
  readonly max: number;
  /** Default 1. */
  readonly min?: number;
  /** May have several lines. */
  readonly lines?: boolean;
  /** Why the text is refused, or undefined; `hint` is optional. */
  readonly refuse?: (text: string) => { code: FindingCode; message: string; hint?: string } | undefined;
  /** Published in the JSON Schema for editors; the decision is `refuse`'s. */
  readonly published?: Readonly<Record<string, unknown>>;
}

interface Issue {
  readonly code: FindingCode;
  readonly message: string;
  readonly hint?: string;
}

function issueOf(text: string, rule: TextRule): Issue | undefined {
  const min = rule.min ?? 1;
  if (text.length < min)
    return { code: "TOO_FEW", message: min === 1 ? "the text is empty" : `the text has fewer than ${min} characters` };
  if (text.length > rule.max) {
    // What a short text should be says more than how long it may be.
    const refused = text.length <= 200 ? rule.refuse?.(text) : undefined;
    return (
      refused ?? {
        code: "TOO_LONG",
        message: `the text has ${text.length} characters; at most ${rule.max} are allowed`,
      }
    );
  }
  if (rule.lines !== true && text.includes("\n")) {
    return {
      code: "NOT_ONE_LINE",
      message: "the text must be one line",
      hint: "write it on one line, or begin it with `>-`",
    };
  }
  if (rule.lines !== true && text.includes("\t")) return { code: "UNSAFE_CHARACTER", message: "the text holds a tab" };
  return rule.refuse?.(text);
}

/** A text with a rule. The issue carries the finding's code and hint in `params`. */
function text<Out extends string = string>(description: string, rule: TextRule): z.ZodType<Out, string> {
  const schema = z
    .string()
    .check((context) => {
      const issue = issueOf(context.value, rule);
      if (issue === undefined) return;
      const params = { finding: issue.code, hint: issue.hint };
      context.issues.push({ code: "custom", input: context.value, message: issue.message, params, continue: true });
    })
    .meta({ description, published: { minLength: rule.min ?? 1, maxLength: rule.max, ...rule.published } });
  // oxlint-disable-next-line no-unsafe-type-assertion -- the rule is what makes the text an `Out`
  return schema as unknown as z.ZodType<Out, string>;
}

function one(code: FindingCode, is: (text: string) => boolean, expected: string) {
  return (value: string): Issue | undefined =>
    is(value) ? undefined : { code, message: `${quoted(value)} is not ${expected}` };
}

function matching(pattern: RegExp) {
  return (value: string): boolean => pattern.test(value);
}

/** One of several words, with the nearest one as a hint. */
function word<const Words extends readonly [string, ...string[]]>(
  description: string,
  words: Words,
): z.ZodType<Words[number], string> {
  return text(description, {
    max: 64,
    published: { enum: words },
    refuse: (value) => {
      if (words.includes(value)) return undefined;
      const [near] = nearest(value, words, 1);
      const message = `${quoted(value)} is not one of: ${words.join(", ")}`;
      return { code: "INVALID_VALUE", message, ...(near === undefined ? {} : { hint: `did you mean \`${near}\`?` }) };
    },
  });
}

function flag(description: string) {
  return z
    .string()
    .transform((value, context): boolean => {
      if (value !== "true" && value !== "false") {
        const params = { finding: "WRONG_TYPE" satisfies FindingCode };
        context.issues.push({
          code: "custom",
          input: value,
          message: `${quoted(value)} is not \`true\` or \`false\``,
          params,
        });
      }
      return value === "true";
    })
    .meta({ description, published: { type: "boolean" } });
}

function integer(description: string, minimum: number, maximum: number) {
  return z
    .string()
    .transform((value, context): number => {
      const number = /^(?:0|[1-9][0-9]{0,8})$/u.test(value) ? Number(value) : Number.NaN;
      if (!(number >= minimum && number <= maximum)) {
        const params = { finding: "WRONG_TYPE" satisfies FindingCode };
        const message = `${quoted(value)} is not a whole number from ${minimum} to ${maximum}`;
        context.issues.push({ code: "custom", input: value, message, params });
      }
      return number;
    })
    .meta({ description, published: { type: "integer", minimum, maximum } });
}

function list<Item extends z.ZodType>(description: string, item: Item, max: number) {
  return z.array(item).min(1).max(max).meta({ description });
}

/** A map with names that its writer chooses. */
function named<Value extends z.ZodType>(
  description: string,
  key: z.ZodType<string, string>,
  value: Value,
  max: number,
) {
  return z
    .record(key, value)
    .check((context) => {
      const count = Object.keys(context.value).length;
      const problem: Issue | undefined =
        count === 0
          ? { code: "TOO_FEW", message: "the map is empty" }
          : count > max
            ? { code: "TOO_MANY", message: `the map has ${count} members; at most ${max} are allowed` }
            : undefined;
      if (problem === undefined) return;
      const params = { finding: problem.code };
      context.issues.push({ code: "custom", input: context.value, message: problem.message, params, continue: true });
    })
    .meta({ description, minProperties: 1, maxProperties: max });
}

const toolNameRule: TextRule = {
  max: 64,
  published: { pattern: "^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$" },
  refuse: one(
    "INVALID_NAME",
    isToolName,
    "a name: lower case letters, digits and `. _ -`, beginning and ending with a letter or digit",
  ),
};

const versionRule: TextRule = {
  max: 64,
  published: { pattern: "^[A-Za-z0-9](?:[A-Za-z0-9._+-]{0,62}[A-Za-z0-9])?$" },
  refuse: one("INVALID_VERSION", isVersion, "a version: letters, digits and `. _ + -`, at most 64 characters"),
};

const pathRule: TextRule = {
  max: 500,
  refuse: (value) => {
    const problem = relativePathProblem(value);
    return problem === undefined
      ? undefined
      : { code: "INVALID_PATH", message: `the path ${quoted(value)} ${problem}` };
  },
};

const webUrlRule = (schemes: readonly string[]): TextRule => ({
  max: 500,
  published: { format: "uri" },
  refuse: (value) => {
    const fail = (message: string, hint?: string): Issue => ({
      code: "INVALID_URL",
      message,
      ...(hint === undefined ? {} : { hint }),
    });
    if (/\s/u.test(value) || !URL.canParse(value)) return fail(`${quoted(value)} is not a URL`);
    const url = new URL(value);
    if (!schemes.includes(url.protocol))
      return fail(
        `the URL uses \`${url.protocol.slice(0, -1)}\`; it must be ${schemes.map((scheme) => scheme.slice(0, -1)).join(" or ")}`,
      );
    if (url.username !== "" || url.password !== "") return fail("the URL carries a user name or password");
    // Without a path, the slash that the normal form has is left out by everybody.
    return url.href === value || url.href === `${value}/`
      ? undefined
      : fail("the URL is not in normal form", `write it as ${url.href}`);
  },
});

const gitUrlRule: TextRule = {
  max: 500,
  published: { format: "uri", pattern: "^https://" },
  refuse: (value) => {
    const result = parseGitUrl(value);
    if (result.ok) return undefined;
    const { message, suggestion } = result.problem;
    return {
      code: "INVALID_URL",
      message: `the URL ${message}`,
      ...(suggestion === undefined ? {} : { hint: `write it as ${suggestion}` }),
    };
  },
};

const durationRule: TextRule = {
  max: 8,
  published: { pattern: "^[1-9][0-9]{0,5}[smh]$" },
  refuse: one(
    "INVALID_DURATION",
    (value) => parseDuration(value) !== undefined,
    "a duration such as `90s`, `10m` or `2h`, at most 24 hours",
  ),
};

const PLATFORM =
  /^(?:macos(?:-(?:x64|arm64))?|linux(?:-(?:x64|arm64|arm|ia32|ppc64|riscv64|s390x|loong64)(?:-(?:glibc|musl))?)?)$/u;
const platformRule: TextRule = {
  max: 32,
  published: { examples: ["linux", "linux-x64", "linux-x64-glibc", "macos", "macos-arm64"], pattern: PLATFORM.source },
  refuse: one(
    "INVALID_PLATFORM",
    matching(PLATFORM),
    "a platform such as `linux`, `linux-x64`, `linux-x64-glibc` or `macos-arm64`",
  ),
};

const RANGE = /^(?:>=|<=|>|<|=)?[0-9]+(?:\.[0-9]+){0,3}(?: (?:>=|<=|>|<|=)?[0-9]+(?:\.[0-9]+){0,3}){0,3}$/u;
const rangeRule: TextRule = {
  max: 64,
  published: { pattern: RANGE.source },
  refuse: one("INVALID_RANGE", matching(RANGE), 'a range such as ">=20" or ">=3.9 <4"'),
};

const HOST = /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/u;
const networkRule: TextRule = {
  max: 253,
  published: { anyOf: [{ enum: ECOSYSTEMS }, { pattern: HOST.source }] },
  refuse: (value) => {
    if (ECOSYSTEMS.some((ecosystem) => ecosystem === value) || HOST.test(value)) return undefined;
    const [near] = nearest(value, ECOSYSTEMS, 1);
    const message = `${quoted(value)} is neither an ecosystem (${ECOSYSTEMS.join(", ")}) nor a host name such as \`example.org\``;
    return { code: "INVALID_NETWORK", message, ...(near === undefined ? {} : { hint: `did you mean \`${near}\`?` }) };
  },
};

const launcherRule: TextRule = {
  max: 64,
  published: { pattern: "^[A-Za-z0-9_][A-Za-z0-9._+@-]{0,63}$" },
  refuse: one(
    "INVALID_LAUNCHER",
    isLauncherName,
    "a command name: letters, digits and `. _ + @ -`, at most 64 characters",
  ),
};

const environmentNameRule: TextRule = {
  max: 64,
  published: { pattern: "^[A-Za-z_][A-Za-z0-9_]*$" },
  refuse: (value) => {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/u.test(value))
      return { code: "INVALID_ENV_NAME", message: `${quoted(value)} is not the name of a variable` };
    return isDeniedEnvironmentName(value)
      ? { code: "DENIED_ENV_NAME", message: `a manifest may not set ${quoted(value)}` }
      : undefined;
  },
};

const dateRule: TextRule = {
  max: 10,
  published: { format: "date" },
  refuse: one(
    "INVALID_DATE",
    (value) => {
      const time = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/u.test(value) ? Date.parse(`${value}T00:00:00Z`) : Number.NaN;
      // `2026-02-30` parses as the second of March.
      return !Number.isNaN(time) && new Date(time).toISOString().startsWith(value);
    },
    "a date such as `2026-11-01`",
  ),
};

const sha256Rule: TextRule = {
  max: 100,
  published: { pattern: "^[0-9a-f]{64}$", maxLength: 64 },
  refuse: one("INVALID_PIN", isPlanDigest, "a sha256: 64 lower-case hex digits"),
};

const pin = (is: (value: string) => boolean, what: string): TextRule => ({
  max: 100,
  published: { pattern: "^[0-9a-f]{40}$", maxLength: 40 },
  refuse: one("INVALID_PIN", is, `a full ${what} id: 40 lower-case hex digits`),
});

const anyText = (max: number, more: Partial<TextRule> = {}): TextRule => ({ max, ...more });
const pattern = (regex: RegExp, code: FindingCode, expected: string, max = 200): TextRule => ({
  max,
  published: { pattern: regex.source },
  refuse: one(code, matching(regex), expected),
});

/** A regular expression is tried in `check-manifest.ts`, once its placeholders can be filled. */
const expected = (stream: string): z.ZodType<string, string> =>
  text(
    `A regular expression (JavaScript, flags \`mu\`) that ${stream} must match. Placeholders are filled in, quoted.`,
    anyText(1_000, { lines: true }),
  );

const run = (description: string) =>
  z
    .union([
      text("Runs through `sh -eu`.", anyText(16_384, { lines: true })),
      list(
        "The program and its arguments; no shell.",
        text("One argument.", anyText(4_096, { min: 0, lines: true })),
        256,
      ),
    ])
    .meta({ description });

const environment = (description: string) =>
  named(
    description,
    text("The variable's name.", environmentNameRule),
    text("The value. Placeholders are filled in.", anyText(4_096, { min: 0 })),
    64,
  );

const serviceRule: TextRule = {
  max: 100,
  refuse: (value) => {
    if (serviceAddresses(value, {}) !== undefined) return undefined;
    const [near] = nearest(value, Object.keys(KNOWN_SERVICES), 1);
    return {
      code: "INVALID_VALUE",
      message: `${quoted(value)} is neither a service that ipm knows (${Object.keys(KNOWN_SERVICES).join(", ")}) nor an address of this machine`,
      hint:
        near === undefined
          ? "write `localhost:PORT`, or a socket below /run, /var/run or /tmp"
          : `did you mean \`${near}\`?`,
    };
  },
};

const requirement = z
  .strictObject({
    tool: text("A program on PATH.", launcherRule).optional(),
    header: text("A C header, such as `zlib.h`.", anyText(200)).optional(),
    "pkg-config": text("A package that pkg-config knows.", anyText(100)).optional(),
    library: text("A shared library, such as `libssl`.", anyText(100)).optional(),
    env: text(
      "A variable of the user's environment that has a value. It is for the tool itself: steps do not see it.",
      pattern(/^[A-Za-z_][A-Za-z0-9_]*$/u, "INVALID_ENV_NAME", "the name of a variable", 64),
    ).optional(),
    service: text(
      `Something on this machine that answers: ${Object.keys(KNOWN_SERVICES)
        .map((name) => `\`${name}\``)
        .join(
          ", ",
        )}, \`localhost:PORT\`, or a socket such as \`/run/tool.sock\`. A connection is opened and closed; nothing is sent.`,
      serviceRule,
    ).optional(),
    hardware: word("A device whose driver has made its file.", HARDWARE_NAMES).optional(),
    version: text(
      'The versions that do, such as ">=20" or ">=3.9 <4". In quotes, because `>` means something else in YAML.',
      rangeRule,
    ).optional(),
    for: word(
      "When it is needed. Default: `both`; `build` for `header` and `pkg-config`, `run` for `env` and `service`.",
      ["build", "run", "both"],
    ).optional(),
    optional: flag("The tool works without it. Default: false.").optional(),
    why: text("What it is needed for, shown in the plan.", anyText(200)).optional(),
  })
  .meta({ id: "requirement", description: "Something that the host must have." });

const recipeRule: TextRule = {
  max: 64,
  published: { enum: RECIPE_NAMES },
  refuse: (value) => {
    if (RECIPE_NAMES.some((recipe) => recipe === value)) return undefined;
    const [near] = nearest(value, RECIPE_NAMES, 1);
    const message = `there is no recipe ${quoted(value)}`;
    return {
      code: "UNKNOWN_RECIPE",
      message,
      hint: near === undefined ? `recipes: ${RECIPE_NAMES.join(", ")}` : `did you mean \`${near}\`?`,
    };
  },
};

const step = z
  .strictObject({
    uses: text("A recipe: it expands into steps before anything runs.", recipeRule).optional(),
    with: named(
      "What the recipe is given; each recipe documents its own keys. Placeholders are filled in.",
      text("The recipe's key.", anyText(64)),
      z.unknown(),
      64,
    ).optional(),
    run: run(
      "A command of its own. A text runs through `sh -eu` in `$IPM_SOURCE`, a list without a shell. Values come as `$IPM_VERSION`, `$IPM_PREFIX`, `$IPM_SOURCE`, `$IPM_JOBS`.",
    ).optional(),
    why: text("Why the step is there, shown in the plan.", anyText(200)).optional(),
    dir: text("The folder below `$IPM_SOURCE` that it runs in.", pathRule).optional(),
    env: environment("Variables for this step.").optional(),
    timeout: text("Its time limit, such as `90s` or `10m`.", durationRule).optional(),
    network: z
      .array(text("`npm`, `pypi`, `crates`, `go`, `maven`, or a host name.", networkRule))
      .max(32)
      .meta({
        description: "What the step may reach. Default: nothing for `run`, the ecosystem for a recipe. `[]`: nothing.",
      })
      .optional(),
    optional: flag("The user may choose to leave it out. Default: false.").optional(),
  })
  .meta({
    id: "step",
    description: "One action: a recipe (`uses`) or a command (`run`).",
    oneOf: [{ required: ["uses"] }, { required: ["run"] }],
  });

const launcher = z
  .union([
    text("A file of the prefix.", pathRule),
    z.strictObject({
      file: text("A file of the prefix.", pathRule).optional(),
      run: list(
        "A program and its arguments; relative paths are of the prefix.",
        text("One argument.", anyText(4_096, { min: 0 })),
        64,
      ).optional(),
      env: environment("Variables that the launcher sets.").optional(),
    }),
  ])
  .meta({ id: "launcher", description: "What a command starts." });

const bin = (description: string) =>
  z
    .union([
      list("Names of commands; the recipe, or `bin/NAME`, says which files.", text("A command.", launcherRule), 100),
      named("Command to file of the prefix, or to a command line.", text("A command.", launcherRule), launcher, 100),
    ])
    .meta({ description });

const provides = z
  .strictObject({
    bin: bin("The commands of this method; replaces the shared `bin`.").optional(),
    share: named(
      "Further files: path below the profile's `share` to path in the prefix. Man pages and completions in the standard folders need no line.",
      text("Path below `share`.", pathRule),
      text("Path in the prefix.", pathRule),
      200,
    ).optional(),
    completions: named(
      "Shell completions: command to shell to path in the prefix.",
      text("A command.", launcherRule),
      z.strictObject({
        bash: text("Path in the prefix.", pathRule).optional(),
        zsh: text("Path in the prefix.", pathRule).optional(),
        fish: text("Path in the prefix.", pathRule).optional(),
      }),
      100,
    ).optional(),
  })
  .meta({ id: "provides", description: "What a method puts on PATH and into the profile." });

const test = z
  .strictObject({
    run: run(
      "The command. PATH holds the new commands and the system's; HOME is empty; the prefix is read-only. A text knows `$IPM_VERSION` and `$IPM_PREFIX`.",
    ),
    stdin: text(
      "Text for standard input; without it there is none.",
      anyText(16_384, { min: 0, lines: true }),
    ).optional(),
    timeout: text("Its time limit, such as `30s`.", durationRule).optional(),
    during: word(
      "Run it while the command of `start` runs, once `start.url` answers. Both share a network of their own, which reaches nothing else; the server is ended afterwards.",
      ["start"],
    ).optional(),
    expect: z
      .strictObject({
        exit: integer("The exit code. Default: 0.", 0, 255).optional(),
        stdout: expected("standard output").optional(),
        stderr: expected("standard error").optional(),
        output: expected("both streams together").optional(),
      })
      .meta({ description: "What must be seen. Without it: exit code 0." })
      .optional(),
  })
  .meta({
    id: "test",
    description: "A command that shows that the installation works. It runs before anything is put on PATH.",
  });

const method = z
  .strictObject({
    id: text("Its name, for `--method`. Default: the first recipe, or `steps`.", toolNameRule).optional(),
    platforms: list("Where it works. Default: everywhere.", text("A platform.", platformRule), 32).optional(),
    since: text("The oldest version it is for, by position in the list of versions.", versionRule).optional(),
    until: text("The newest version it is for, by position in the list of versions.", versionRule).optional(),
    requires: list("What it needs beside the shared requirements.", requirement, 50).optional(),
    steps: list("What is done, in order.", step, 64),
    provides: provides.optional(),
    tests: list("Tests of this method; they replace the shared ones.", test, 64).optional(),
  })
  .meta({ id: "method", description: "One way to install." });

const download = z
  .strictObject({
    name: text("A name for steps to find it by.", toolNameRule).optional(),
    platform: text("The platform that it is for.", platformRule).optional(),
    url: text("Where it is.", webUrlRule(["https:"])),
    sha256: text("Its sha256, 64 hex digits.", sha256Rule),
    size: text(
      "About how large it is, such as `2GB`.",
      pattern(/^[0-9]+(?:\.[0-9]+)?(?:B|KB|MB|GB)$/u, "INVALID_VALUE", "a size such as `20MB`"),
    ).optional(),
  })
  .meta({ id: "file", description: "A pinned download." });

const version = z
  .strictObject({
    version: text("The version, exactly as users write it.", versionRule),
    ref: text("The full name of the tag or branch, such as `refs/tags/v2.1.0`.", {
      max: 250,
      published: { pattern: "^refs/" },
      refuse: one(
        "INVALID_REF",
        (value) => value.startsWith("refs/") && isRefName(value),
        "a full ref such as `refs/tags/v2.1.0`",
      ),
    }).optional(),
    commit: text<CommitSha>("The commit: 40 hex digits.", pin(isCommitSha, "commit")).optional(),
    tree: text<TreeSha>(
      "The commit's tree: 40 hex digits (`git rev-parse COMMIT^{tree}`).",
      pin(isTreeSha, "tree"),
    ).optional(),
    integrity: text(
      "The package's integrity, for `source.package`.",
      pattern(/^sha(?:256|384|512)-[A-Za-z0-9+/]+={0,2}$/u, "INVALID_PIN", "an integrity such as `sha512-…`"),
    ).optional(),
    lock: text("The folder with the package's lock, beside the manifest, such as `locks/2.1.0.npm`.", {
      ...pathRule,
      refuse: (value) =>
        pathRule.refuse?.(value) ??
        (/^locks\/[^/]+$/u.test(value)
          ? undefined
          : { code: "INVALID_PATH", message: `${quoted(value)} is not a folder of \`locks/\`` }),
    }).optional(),
    added: text("The day on which the entry was added.", dateRule).optional(),
    files: list("Pinned downloads, for `uses: file`.", download, 64).optional(),
    prerelease: flag("Never chosen unless it is asked for. Default: false.").optional(),
    withdrawn: text("Why nobody should install it any more, and what to use.", anyText(300)).optional(),
  })
  .meta({ id: "version", description: "A released version and its pin." });

const source = z
  .strictObject({
    git: text("The repository's URL, exactly in normal form.", gitUrlRule).optional(),
    bundle: text("A git bundle in the registry, such as `sources/ripcat.bundle`.", {
      ...pathRule,
      refuse: (value) =>
        pathRule.refuse?.(value) ??
        (value.endsWith(".bundle")
          ? undefined
          : { code: "INVALID_PATH", message: `${quoted(value)} does not end with \`.bundle\`` }),
    }).optional(),
    path: text("The tool's folder in a repository that holds several.", pathRule).optional(),
    submodules: list(
      "The submodules that are needed, at the commits that the tree names; the others stay empty folders.",
      text("Path of a submodule.", pathRule),
      32,
    ).optional(),
    track: text(
      "The branch to follow, for repositories without tags: versions are dates, `NAME@HEAD` is its newest commit.",
      {
        max: 250,
        refuse: one("INVALID_REF", (value) => isRefName(value) && !value.startsWith("refs/"), "the name of a branch"),
      },
    ).optional(),
    package: text("The ecosystem's package, such as `npm:ripcat`.", {
      max: 240,
      published: { pattern: "^(?:npm|pypi|crates|go|maven):[A-Za-z0-9@][A-Za-z0-9@._:/~-]*$" },
      refuse: one(
        "INVALID_VALUE",
        (value) => parsePackageReference(value) !== undefined,
        "a package such as `npm:ripcat`, `pypi:ripcat`, `crates:ripcat`, `go:example.org/ripcat` or `maven:org.example:ripcat`",
      ),
    }).optional(),
  })
  .meta({ description: "Where the source is: `git` or `bundle`, or the ecosystem's `package`." });

const input = z
  .strictObject({
    env: text("The variable that it is given in.", environmentNameRule),
    secret: flag(
      "Only the tool itself is given it: no step, plan, log or record holds it. It is kept in a file that only its user can read. Default: false.",
    ).optional(),
    for: word(
      "When it is needed: by the steps, by the commands, or by both. Default: `both`, and `run` for a secret.",
      ["build", "run", "both"],
    ).optional(),
    why: text("What it is for, shown where it is asked for.", anyText(200)).optional(),
  })
  .meta({ id: "input", description: "A value that the user gives: by `--set`, in the environment, or when asked." });

const schemaKey = text("The format: `ipm/v1`.", {
  max: 64,
  published: { const: SCHEMA_ID },
  refuse: (value) => {
    if (value === SCHEMA_ID) return undefined;
    const newer = /^ipm\/v[0-9]+$/u.test(value) || /^[0-9]+$/u.test(value);
    return newer
      ? { code: "SCHEMA_UNSUPPORTED", message: `${quoted(value)} needs a newer ipm; this one reads \`${SCHEMA_ID}\`` }
      : {
          code: "SCHEMA_UNSUPPORTED",
          message: `${quoted(value)} is not a format that ipm knows`,
          hint: `write schema: ${SCHEMA_ID}`,
        };
  },
});

const LICENSE = /^[A-Za-z0-9(][A-Za-z0-9.+:() -]*$/u;
const FORMER_NAME =
  /^(?:[A-Za-z0-9][A-Za-z0-9_-]{0,38}\/[A-Za-z0-9._-]{1,100}|[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?)$/u;
const MAINTAINER = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/u;

export const manifestSchema = z
  .strictObject({
    schema: schemaKey,
    name: text<ToolName>("The entry's name, also that of its folder.", toolNameRule),
    kind: word(
      "`tool`: commands on PATH. `workspace`: a clone to work in, with its environment (docs/workspaces.md). `library`: installs nothing, says where to get it. Default: `tool`.",
      ["tool", "workspace", "library"],
    ).optional(),
    summary: text("What it does, in one line for lists and search.", anyText(120, { min: 3 })),
    license: text(
      "The licence as an SPDX expression.",
      pattern(LICENSE, "INVALID_LICENSE", "an SPDX licence expression such as `MIT` or `Apache-2.0 OR MIT`"),
    ),
    homepage: text("Default: the git URL without `.git`.", webUrlRule(["https:"])).optional(),
    keywords: list(
      "Words that search finds it by.",
      text(
        "A word.",
        pattern(
          /^[a-z0-9][a-z0-9+#._ -]*$/u,
          "INVALID_VALUE",
          "a keyword: lower case letters, digits, `+ # . _ -`",
          40,
        ),
      ),
      24,
    ).optional(),
    notes: text(
      "What users should know after the installation. May have several lines.",
      anyText(4_000, { lines: true }),
    ).optional(),
    maintainers: list(
      "Who looks after the entry: account names.",
      text("An account name.", pattern(MAINTAINER, "INVALID_NAME", "an account name", 64)),
      24,
    ).optional(),
    aliases: list("Other names that find it.", text<ToolName>("A name.", toolNameRule), 24).optional(),
    formerly: list(
      "What it was called before: `owner/repo`, or an earlier name. Receipts and holds follow it; what the user kept and gave is copied.",
      text("A former name.", pattern(FORMER_NAME, "INVALID_NAME", "`owner/repo` or an entry's name", 140)),
      24,
    ).optional(),
    deprecated: z
      .strictObject({
        why: text("Why.", anyText(300)),
        use: text<ToolName>("The entry to use instead.", toolNameRule).optional(),
      })
      .meta({ description: "Nobody should begin to use it." })
      .optional(),
    source,
    versions: list("Newest first; a new version adds one entry and nothing else.", version, 500),
    requires: list("What the host must have, for every method.", requirement, 50).optional(),
    inputs: list(
      "Values that the user gives; [inputs.md](inputs.md) says how, and where they go.",
      input,
      32,
    ).optional(),
    persist: list(
      "What is the user's: files and folders that the steps make, copied once to `data/state/NAME`, kept over upgrades and uninstall, gone with `--purge`. In the prefix they are links to there; tests see fresh copies.",
      text("Path in the prefix of a file or folder.", pathRule),
      64,
    ).optional(),
    platforms: list(
      "Where it works, for methods that do not say. Default: everywhere.",
      text("A platform.", platformRule),
      32,
    ).optional(),
    steps: list("The steps of the only method; several ways to install are written as `methods`.", step, 64).optional(),
    methods: list("Ways to install, in order of preference.", method, 24).optional(),
    bin: bin("The commands, for methods that do not say.").optional(),
    tests: list("Tests, for methods that do not say.", test, 64).optional(),
    start: z
      .strictObject({
        run: run(
          "The command that starts the server and stays with it. Shown; nothing but tests with `during: start` runs it.",
        ),
        url: text(
          "Where it is then found. For tests with `during: start` an address of this machine.",
          webUrlRule(["http:", "https:"]),
        ).optional(),
      })
      .meta({ description: "How to start a server. Shown after the installation." })
      .optional(),
    elsewhere: named(
      "Where else it can be had: ecosystem to name. Shown, never run. Placeholders are filled in.",
      text(
        "An ecosystem, such as `npm` or `flatpak`.",
        pattern(/^[a-z0-9][a-z0-9-]{0,31}$/u, "INVALID_NAME", "an ecosystem's name", 32),
      ),
      text("The name there.", anyText(200)),
      24,
    ).optional(),
  })
  .meta({ title: "ipm manifest", description: "One tool of an ipm registry." });

/** A repository's own `ipm.yaml`: the target gives source and version. */
export const repositoryManifestSchema = manifestSchema.omit({ source: true, versions: true }).meta({
  title: "ipm.yaml",
  description: "How ipm installs this repository: a manifest without `source` and `versions`.",
});

/** `registry.yaml`, which marks the root of a registry. */
export const registryFileSchema = z
  .strictObject({
    schema: schemaKey.optional(),
    id: text<ToolName>("The registry's id, as in `ID:NAME`.", toolNameRule),
    name: text("What people call it.", anyText(100)),
    maintainers: list(
      "Who merges: account names.",
      text("An account name.", pattern(MAINTAINER, "INVALID_NAME", "an account name", 64)),
      64,
    ),
    url: text("Where people read about it.", webUrlRule(["https:"])).optional(),
    sequence: integer(
      "Raised with every publication: of two registries with the same id the higher one is used. Default: 0.",
      0,
      999_999_999,
    ).optional(),
    removed: named(
      "Names that were taken out, with the reason: they are never given away again.",
      text("The name.", toolNameRule),
      text("Why it was taken out.", anyText(300)),
      100_000,
    ).optional(),
    alike: list(
      "Groups of names that may be mistaken for each other and were accepted all the same.",
      list("Names of entries.", text("A name.", toolNameRule), 24),
      10_000,
    ).optional(),
  })
  .meta({ title: "ipm registry", description: "`registry.yaml` marks the root of a registry." });

/** A manifest as written: plain JSON, nothing filled in. A completed repository manifest has this form too. */
export type ManifestSource = z.output<typeof manifestSchema>;
/** A repository's own `ipm.yaml` as written. */
export type RepositoryManifestSource = z.output<typeof repositoryManifestSchema>;
export type RegistryFile = z.output<typeof registryFileSchema>;

export type VersionSource = ManifestSource["versions"][number];
export type MethodSource = NonNullable<ManifestSource["methods"]>[number];
export type StepSource = MethodSource["steps"][number];
export type TestSource = NonNullable<ManifestSource["tests"]>[number];
export type RequirementSource = NonNullable<ManifestSource["requires"]>[number];
export type InputSource = NonNullable<ManifestSource["inputs"]>[number];
export type BinSource = NonNullable<ManifestSource["bin"]>;
export type ManifestInput = z.input<typeof manifestSchema>;
