import type { Found } from "./draft-evidence.ts";

/** A program and the version that a repository's developers use, as a range that begins there. */
export interface ToolchainVersion {
  readonly tool: string;
  readonly range: string;
}

/** Files at a repository's root that version managers read, and how each says it; the first group is the version. */
const SINGLE: readonly (readonly [file: string, tool: string, version: RegExp])[] = [
  [".nvmrc", "node", /^v?(\d+(?:\.\d+){0,2})\s*$/mu],
  [".node-version", "node", /^v?(\d+(?:\.\d+){0,2})\s*$/mu],
  [".python-version", "python3", /^(\d+\.\d+(?:\.\d+)?)\s*$/mu],
  [".go-version", "go", /^v?(\d+\.\d+(?:\.\d+)?)\s*$/mu],
  [".java-version", "java", /^(?:temurin|openjdk|corretto|zulu)?[-@]?(\d+(?:\.\d+){0,2})\s*$/mu],
  ["rust-toolchain", "cargo", /^(?:\s*channel\s*=\s*")?(\d+\.\d+(?:\.\d+)?)"?\s*$/mu],
  ["rust-toolchain.toml", "cargo", /^\s*channel\s*=\s*"(\d+\.\d+(?:\.\d+)?)"/mu],
  ["go.mod", "go", /^toolchain\s+go(\d+\.\d+(?:\.\d+)?)\s*$/mu],
];

/** asdf's file of several tools (https://asdf-vm.com/manage/configuration.html), which mise reads too. */
const SEVERAL = ".tool-versions";
const NAMES: Readonly<Record<string, string>> = {
  nodejs: "node",
  node: "node",
  python: "python3",
  golang: "go",
  go: "go",
  rust: "cargo",
  java: "java",
};

export const TOOLCHAIN_FILES: readonly string[] = [...SINGLE.map(([file]) => file), SEVERAL];

/** Developers pin the patch that was newest one day: what counts is the feature release, for Node and Java the first number. */
function rangeFrom(tool: string, version: string): string {
  return `>=${version
    .split(".")
    .slice(0, tool === "node" || tool === "java" ? 1 : 2)
    .join(".")}`;
}

function lineAt(text: string, at: number): number {
  return text.slice(0, at).split("\n").length;
}

/**
 * Versions that files of version managers name; channels (`lts/*`, `stable`) name none. Pure.
 * @param texts by path from the root
 */
export function toolchainVersions(texts: Readonly<Record<string, string>>): readonly Found<ToolchainVersion>[] {
  const found = SINGLE.flatMap(([file, tool, pattern]) => {
    const text = texts[file] ?? "";
    const match = pattern.exec(text);
    return match?.[1] === undefined ? [] : [{ file, tool, version: match[1], line: lineAt(text, match.index) }];
  });
  const several = (texts[SEVERAL] ?? "").split("\n").flatMap((text, index) => {
    const match = /^([a-z]+)[ \t]+(?:[a-z]+-)?(\d+(?:\.\d+){0,2})(?:[ \t+]|$)/u.exec(text);
    const tool = Object.hasOwn(NAMES, match?.[1] ?? "") ? NAMES[match?.[1] ?? ""] : undefined;
    return tool === undefined || match?.[2] === undefined
      ? []
      : [{ file: SEVERAL, tool, version: match[2], line: index + 1 }];
  });
  const tools = new Set<string>();
  return [...found, ...several].flatMap(({ file, tool, version, line }) => {
    if (tools.has(tool)) return [];
    tools.add(tool);
    return [
      {
        value: { tool, range: rangeFrom(tool, version) },
        evidence: `${file}:${line} developed with ${tool} ${version}`,
      },
    ];
  });
}
