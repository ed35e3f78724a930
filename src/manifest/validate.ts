import { z } from "zod";
import { nearest } from "../core/nearest.ts";
import { FINDING_CODES } from "./finding.ts";
import type { FindingCode } from "./finding.ts";
import { MAX_FINDINGS } from "./limits.ts";
import { quoted } from "./source-text.ts";
import type { Problem, Range } from "./source-text.ts";
import type { Located, PlainData } from "./yaml-document.ts";

export type Path = readonly (string | number)[];

/** A problem at a path. `key`: the place is the key that leads there, not its value. */
export interface PathProblem extends Problem {
  readonly path: Path;
  readonly key?: boolean;
}

export interface Validation<Output> {
  /** The converted value; undefined when there is any problem. */
  readonly value: Output | undefined;
  readonly problems: readonly PathProblem[];
  /** What is left of the data without the refused parts, in the schema's input form: for checks that go on in spite of them. */
  readonly rest: PartialData;
}

/** Plain data with holes where something has been refused. */
export type PartialData =
  | string
  | readonly (PartialData | undefined)[]
  | { readonly [key: string]: PartialData | undefined };

type Issue = z.core.$ZodIssue;

const LEVELS: Readonly<Record<string, string>> = {
  string: "a text",
  array: "a list",
  object: "a map",
  record: "a map",
};

/** The value at a path, or undefined where there is none. */
export function locatedAt(root: Located, path: Path): Located | undefined {
  let located: Located | undefined = root;
  for (const part of path) {
    located = located?.members?.get(String(part));
  }
  return located;
}

/** The place of a problem: the value, its key, or, for a key that is not there, the nearest thing around it. */
export function rangeAt(root: Located, { path, key }: PathProblem): Range {
  for (let length = path.length; length > 0; length--) {
    const located = locatedAt(root, path.slice(0, length));
    if (located === undefined) continue;
    if (length < path.length) return located.keyRange ?? located.range;
    return key === true ? (located.keyRange ?? located.range) : located.range;
  }
  return [root.range[0], root.range[0] + 1];
}

/**
 * True when the value or something around it has been reported as no value at all: then nothing more is to be said, but
 * about its key.
 */
export function isRefused(root: Located, { path, key }: PathProblem): boolean {
  for (let length = 0; length <= path.length - (key === true ? 1 : 0); length++) {
    if (locatedAt(root, path.slice(0, length))?.refused === true) return true;
  }
  return false;
}

function kindOf(value: PlainData): string {
  if (typeof value === "string") return value === "" ? "an empty text" : `the text ${quoted(value)}`;
  return Array.isArray(value) ? "a list" : "a map";
}

function pathOf(issue: { readonly path: readonly PropertyKey[] }): (string | number)[] {
  return issue.path.map((part) => (typeof part === "number" ? part : String(part)));
}

/** The keys that the schema knows at a path: for suggestions. */
function keysAt(schema: z.core.$ZodType, path: Path): string[] {
  if (schema instanceof z.ZodOptional) return keysAt(schema._zod.def.innerType, path);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => keysAt(option, path));
  const [first, ...rest] = path;
  if (schema instanceof z.ZodObject) {
    if (first === undefined) return Object.keys(schema.shape);
    const next: unknown = schema.shape[first];
    return next instanceof z.ZodType ? keysAt(next, rest) : [];
  }
  if (first === undefined) return [];
  if (schema instanceof z.ZodArray) return keysAt(schema._zod.def.element, rest);
  return schema instanceof z.ZodRecord ? keysAt(schema._zod.def.valueType, rest) : [];
}

/** The branch of a union that the data was meant for: the one whose kind (text, list, map) is right. */
function meantBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  return branches.find((issues) => !issues.some((issue) => issue.code === "invalid_type" && issue.path.length === 0));
}

function expectedKinds(branches: readonly (readonly Issue[])[]): string {
  const kinds = branches.flatMap((issues) =>
    issues.flatMap((issue) => {
      if (issue.code === "invalid_union") return [expectedKinds(issue.errors)];
      return issue.code === "invalid_type" ? [LEVELS[issue.expected] ?? issue.expected] : [];
    }),
  );
  return [...new Set(kinds)].join(" or ");
}

function isFindingCode(value: unknown): value is FindingCode {
  return typeof value === "string" && Object.hasOwn(FINDING_CODES, value);
}

function customProblem(issue: Extract<Issue, { code: "custom" }>): Problem {
  const finding = issue.params?.["finding"];
  const hint: unknown = issue.params?.["hint"];
  return {
    code: isFindingCode(finding) ? finding : "INVALID_VALUE",
    message: issue.message,
    ...(typeof hint === "string" ? { hint } : {}),
  };
}

function unknownKeys(schema: z.core.$ZodType, path: Path, keys: readonly string[]): PathProblem[] {
  const known = keysAt(schema, path);
  // No more than can be listed: a file may hold tens of thousands.
  return keys.slice(0, MAX_FINDINGS + 1).map((key) => {
    const [near] = nearest(key, known, 1);
    const hint = near === undefined ? `keys here: ${known.join(", ")}` : `did you mean \`${near}\`?`;
    return { path: [...path, key], key: true, code: "UNKNOWN_KEY", message: `unknown key ${quoted(key)}`, hint };
  });
}

function typeProblem(path: Path, located: Located | undefined, kinds: string): PathProblem {
  if (located === undefined) {
    return { path, code: "MISSING_KEY", message: `the key ${quoted(String(path.at(-1)))} is missing` };
  }
  return { path, code: "WRONG_TYPE", message: `expected ${kinds}, found ${kindOf(located.value)}` };
}

function problemsOf(schema: z.core.$ZodType, root: Located, issue: Issue, base: Path): PathProblem[] {
  const path = [...base, ...pathOf(issue)];
  const located = locatedAt(root, path);
  switch (issue.code) {
    case "custom":
      return [{ path, ...customProblem(issue) }];
    case "invalid_key":
      return issue.issues
        .flatMap((inner) => problemsOf(schema, root, inner, path))
        .map((problem) => ({ ...problem, key: true }));
    case "unrecognized_keys":
      return unknownKeys(schema, path, issue.keys);
    case "invalid_union": {
      const branch = located === undefined ? undefined : meantBranch(issue.errors);
      if (branch !== undefined) return branch.flatMap((inner) => problemsOf(schema, root, inner, path));
      return [typeProblem(path, located, expectedKinds(issue.errors))];
    }
    case "invalid_type":
      return [typeProblem(path, located, LEVELS[issue.expected] ?? issue.expected)];
    case "too_small":
      return [{ path, code: "TOO_FEW", message: "the list is empty" }];
    case "too_big":
      return [{ path, code: "TOO_MANY", message: `the list has more than ${issue.maximum} members` }];
    case "invalid_element":
    case "invalid_format":
    case "invalid_value":
    case "not_multiple_of":
    default:
      return [{ path, code: "INVALID_VALUE", message: issue.message }];
  }
}

/** The data without what is at the paths; list items leave a hole, so that indexes keep their meaning. */
function without(value: PlainData, path: Path, gone: ReadonlySet<string>): PartialData | undefined {
  if (gone.has(JSON.stringify(path))) return undefined;
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map((item, index) => without(item, [...path, index], gone));
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, without(member, [...path, key], gone)]));
}

const COMPILED_FROM = 200;
let validated = 0;

/** Compiling a validator costs more than a few files give back. */
function parseSettings(): { readonly jitless: boolean } {
  validated += 1;
  return { jitless: validated < COMPILED_FROM };
}

/** The converted value, or undefined when the schema has anything against the data. */
export function validValue<Output>(schema: z.ZodType<Output>, data: PlainData): Output | undefined {
  const result = schema.safeParse(data, parseSettings());
  return result.success ? result.data : undefined;
}

/** Validate located data by a schema: every problem with its path, none of them twice. */
export function validate<Output>(schema: z.ZodType<Output>, root: Located): Validation<Output> {
  const result = schema.safeParse(root.value, parseSettings());
  const issues = result.success ? [] : result.error.issues;
  const problems = issues.flatMap((issue) => problemsOf(schema, root, issue, []));
  return {
    value: result.success ? result.data : undefined,
    problems: problems.filter((problem) => !isRefused(root, problem)),
    rest:
      problems.length === 0
        ? root.value
        : (without(root.value, [], new Set(problems.map(({ path }) => JSON.stringify(path)))) ?? {}),
  };
}
