import { DENIED_NAMES, DENIED_PREFIXES } from "./denied-environment.ts";
import { ECOSYSTEMS } from "./ecosystems.ts";
import { FINDING_CODES } from "./finding.ts";
import { jsonSchemas } from "./json-schema.ts";
import type { JsonSchema } from "./json-schema.ts";
import { MAX_BYTES, MAX_DEPTH } from "./limits.ts";
import { PROTECTED_LAUNCHERS } from "./protected-launchers.ts";
import { RECIPE_NAMES } from "./recipe-names.ts";

/** The manifest that the reference begins with. A test parses it. */
export const SMALLEST_EXAMPLE = `# yaml-language-server: $schema=../../../schema/manifest.schema.json
schema: ipm/v1
name: ripcat
summary: Search text in archives
license: MIT
source: { git: https://github.com/owner/ripcat.git }
versions: # newest first; a new version adds one entry and nothing else
  - { version: 2.10, ref: refs/tags/v2.10, commit: 5f0d2c1b8a7e4f3d9c6b1a0e2d4f6a8b0c1d2e3f, tree: 9b1c0d2e3f4a5b6c7d8e9f0a1b2c3d4e5f6a7b8c }
steps: [uses: npm] # one method needs no methods:
bin: [rc]
tests: [{ run: printf abc | rc b, expect: { stdout: "^abc$" } }]
`;

/** One with most of what there is. A test parses it. */
export const LARGER_EXAMPLE = `schema: ipm/v1
name: ripcat
summary: Search text in archives
license: Apache-2.0 OR MIT
homepage: https://ripcat.example.org/
keywords: [search, archive]
notes: |
  The index is kept in the current folder.
maintainers: [octocat]
aliases: [rip-cat]
formerly: [oldowner/ripcat]
source:
  git: https://github.com/owner/mono.git
  path: cli
versions:
  - version: 2.2.0-rc.1
    ref: refs/tags/v2.2.0-rc.1
    commit: 0a1b2c3d4e5f60718293a4b5c6d7e8f901234567
    tree: 76543210f9e8d7c6b5a4938271605f4e3d2c1b0a
    prerelease: true
  - version: 2.1.0
    ref: refs/tags/v2.1.0
    commit: 5f0d2c1b8a7e4f3d9c6b1a0e2d4f6a8b0c1d2e3f
    tree: 9b1c0d2e3f4a5b6c7d8e9f0a1b2c3d4e5f6a7b8c
    added: 2026-11-01
  - version: 2.0.0
    ref: refs/tags/v2.0.0
    commit: 1234567890123456789012345678901234567890
    tree: 0123456789012345678901234567890123456789
    withdrawn: "CVE-2026-1: use 2.1.0"
requires:
  - { tool: node, version: ">=20" }
  - { tool: ffmpeg, version: ">=5", for: run, optional: true, why: video files }
methods: # in order of preference
  - id: npm
    since: 2.1.0
    steps:
      - uses: npm
        env: { RC_SKIP_DOWNLOAD: "1" }
      - run: make completions
        why: shell completions are not in the repository
        dir: shell
        timeout: 10m
        optional: true
    provides:
      bin:
        rc: bin/rc
        rcd: { run: [node, lib/rcd.js], env: { RC_CONFIG: "{prefix}/etc/rc.conf" } }
      share: { zsh/rc.zsh: shell/rc.zsh }
      completions: { rc: { bash: share/rc.bash } }
  - id: copy
    platforms: [linux, macos-arm64]
    steps: [uses: copy]
    provides: { bin: { rc: bin/rc } }
    tests: [run: rc --help]
tests:
  - { run: rc -, stdin: abc, timeout: 30s, expect: { exit: 0, stdout: "^rc {version}" } }
start: { run: rcd --port 8080, url: "http://127.0.0.1:8080/" }
elsewhere: { npm: "ripcat@{version}", flatpak: org.example.Ripcat }
`;

interface Section {
  readonly title: string;
  /** The key's path without list indexes: "" for the manifest itself. */
  readonly path: string;
  readonly schema: JsonSchema;
}

function anchor(title: string): string {
  return title.toLowerCase().replaceAll(" ", "-");
}

function codes(words: Iterable<string>): string {
  return [...words].map((word) => `\`${word}\``).join(", ");
}

/** In a cell of a table a bar would end the cell. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

function refName(ref: string): string {
  return ref.slice(ref.lastIndexOf("/") + 1);
}

/** What a key takes, in words. */
function kindOf(schema: JsonSchema, title: string | undefined): string {
  const ref = schema.$ref ?? schema.allOf?.[0]?.$ref;
  if (ref !== undefined) return `[${refName(ref)}](#${anchor(refName(ref))})`;
  if (schema.anyOf !== undefined && schema.type === undefined) {
    return schema.anyOf.map((branch) => kindOf(branch, title)).join(" or ");
  }
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum !== undefined) return schema.enum.map((word) => `\`${word}\``).join(", ");
  if (schema.type === "boolean") return "`true` or `false`";
  if (schema.type === "integer") return `number, ${schema.minimum} to ${schema.maximum}`;
  if (schema.type === "array")
    return `list of ${schema.items === undefined ? "anything" : kindOf(schema.items, title)}`;
  if (schema.properties !== undefined) return title === undefined ? "map" : `[map](#${anchor(title)})`;
  if (schema.type === "object") {
    const value = schema.additionalProperties;
    return `map to ${typeof value === "object" && Object.keys(value).length > 0 ? kindOf(value, title) : "anything"}`;
  }
  return schema.format === "uri" ? "URL" : "text";
}

function limitOf(schema: JsonSchema): string {
  const count = schema.maxItems ?? schema.maxProperties;
  if (count !== undefined) return ` At most ${count}.`;
  if (schema.enum !== undefined || schema.const !== undefined || schema.maxLength === undefined) return "";
  return ` At most ${schema.maxLength} characters.`;
}

function table({ title, path, schema }: Section, sectionOf: (path: string) => string | undefined): string {
  const rows = Object.entries(schema.properties ?? {}).map(([key, member]) => {
    const keyPath = path === "" ? key : `${path}.${key}`;
    const required = schema.required?.includes(key) === true ? " (required)" : "";
    const kind = kindOf(member, sectionOf(keyPath));
    return `| \`${key}\`${required} | ${cell(kind)} | ${cell(`${member.description ?? ""}${limitOf(member)}`)} |`;
  });
  const about = schema.description === undefined ? [] : [schema.description, ""];
  return [`## ${title}`, "", ...about, "| key | takes | |", "| --- | --- | --- |", ...rows, ""].join("\n");
}

/** The sections, in the order in which a manifest is read. */
function sectionsOf(manifest: JsonSchema): Section[] {
  const definition = (name: string): JsonSchema => manifest.definitions?.[name] ?? {};
  const property = (schema: JsonSchema, key: string): JsonSchema => schema.properties?.[key] ?? {};
  const launcher = definition("launcher").anyOf?.find(({ properties }) => properties !== undefined) ?? {};
  return [
    { title: "The manifest", path: "", schema: manifest },
    { title: "source", path: "source", schema: property(manifest, "source") },
    { title: "version", path: "versions", schema: definition("version") },
    { title: "file", path: "versions.files", schema: definition("file") },
    { title: "requirement", path: "requires", schema: definition("requirement") },
    { title: "step", path: "steps", schema: definition("step") },
    { title: "launcher", path: "bin", schema: { ...launcher, description: "A text is the `file`." } },
    { title: "test", path: "tests", schema: definition("test") },
    { title: "expect", path: "tests.expect", schema: property(definition("test"), "expect") },
    { title: "method", path: "methods", schema: definition("method") },
    { title: "provides", path: "methods.provides", schema: definition("provides") },
    { title: "deprecated", path: "deprecated", schema: property(manifest, "deprecated") },
    { title: "start", path: "start", schema: property(manifest, "start") },
    { title: "input", path: "inputs", schema: definition("input") },
  ];
}

function findingsTable(): string {
  const rows = Object.entries(FINDING_CODES).map(
    ([code, { means, cure }]) => `| \`${code}\` | ${cell(means)} | ${cell(cure)} |`,
  );
  return ["| code | means | cure |", "| --- | --- | --- |", ...rows].join("\n");
}

const HEAD = `# Manifest reference

<!-- Generated from src/manifest/schema.ts by \`npm run manifest-docs\`: change that and run it again. -->

A manifest says how one tool is installed. It is \`packages/NAME/manifest.yaml\` in a registry, or \`ipm.yaml\` in the tool's own
repository (then without \`source\` and \`versions\`: the target gives both).

The smallest one. Its first line lets editors that speak yaml-language-server complete and check while you type; the path is
relative to the manifest.

\`\`\`yaml
${SMALLEST_EXAMPLE}\`\`\`

A larger one:

\`\`\`yaml
${LARGER_EXAMPLE}\`\`\`
`;

function rules(): string {
  return `## Rules

**The file.** UTF-8, at most ${MAX_BYTES / 1024} KiB, at most ${MAX_DEPTH} levels deep, one document. No anchors, aliases, merge keys, tags or directives, no
key twice, no control, bidirectional or invisible characters. A key without a value is a mistake, never "nothing".

**Texts.** A text is what you wrote: \`2.10\` stays \`2.10\`, \`012\` stays \`012\`, \`yes\` is the word, a commit of forty digits is no number.
Below \`with\` every value is a text, a list or a map.

**Order of versions.** Newest first; the order of the list is the only order there is. \`since\` and \`until\` include the version they
name and go by position. A version that is \`withdrawn\` is never installed, a \`prerelease\` only when it is asked for.

**One method or several.** \`steps\` at the top is the only method; its id is the first recipe's name, or \`steps\`. With \`methods\`, the
shared \`requires\` come before the method's own; the shared \`bin\`, \`tests\` and \`platforms\` are for methods without their own. Without
either, nothing is installed: users are shown \`elsewhere\`.

**Placeholders.** \`{version}\`, \`{commit}\` and \`{prefix}\` are filled in below \`expect\` (quoted, so that \`2.1\` does not match \`2x1\`),
\`with\`, \`env\` and \`elsewhere\`. What they are filled with is not looked at again. Anywhere else they are refused. In \`run\` there are
\`$IPM_VERSION\`, \`$IPM_PREFIX\`, \`$IPM_SOURCE\` and \`$IPM_JOBS\`; a test's text knows the first two (a workspace's the third
too), and hands them to no program: users have none of them.

**URLs** are written exactly in normal form, with https and without a user name. ipm shows the form that it expects.

**Paths** are relative, with \`/\` between the parts, without \`.\`, \`..\` and \`.git\`.

**Platforms.** \`linux\`, \`linux-x64\`, \`linux-x64-glibc\`, \`macos\`, \`macos-arm64\`: a shorter one covers the longer ones.

**Durations.** \`90s\`, \`10m\`, \`2h\`; at most 24 hours.

**Network.** ${codes(ECOSYSTEMS)} for an ecosystem's hosts, or host names.

**Recipes.** ${codes(RECIPE_NAMES)}.

**Variables that \`env\` may not set:** ${codes(DENIED_NAMES)}, and all that begin with ${codes(DENIED_PREFIXES)}, in upper or lower case.

**Commands that no tool may provide:** ${codes(PROTECTED_LAUNCHERS)}.
`;
}

/** `docs/manifest.md`: every key with its description, the rules, every finding. */
export function manifestReference(): string {
  const { manifest, registry } = jsonSchemas();
  const sections = sectionsOf(manifest);
  const titles = new Map(sections.map(({ title, path }) => [path, title]));
  const sectionOf = (path: string): string | undefined => titles.get(path);
  const registrySection = table({ title: "registry.yaml", path: "registry.yaml", schema: registry }, () => undefined);
  return [
    HEAD,
    ...sections.map((section) => table(section, sectionOf)),
    registrySection,
    rules(),
    "## Problems and their cures",
    "",
    "`ipm lint PATH` lists every problem of a file as `file:line:column: CODE: message`, with the line itself.",
    "",
    findingsTable(),
    "",
  ].join("\n");
}
