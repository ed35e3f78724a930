import { Composer, CST, isMap, isScalar, isSeq, Lexer, Parser, YAMLParseError } from "yaml";
import type { Document, Node, Scalar, YAMLMap } from "yaml";
import { firstUnsafeCharacter } from "../core/untrusted-text.ts";
import type { Finding } from "./finding.ts";
import { MAX_BYTES, MAX_DEPTH, MAX_FINDINGS } from "./limits.ts";
import { findingAt, quoted, sourceText } from "./source-text.ts";
import type { Problem, Range, SourceText } from "./source-text.ts";

/** Plain data in which every scalar is the text that was written. */
export type PlainData = string | PlainData[] | { [key: string]: PlainData };

/** A value with its place, and the places of what is in it. */
export interface Located {
  readonly range: Range;
  /** Of the key that leads to it; undefined for list items and the root. */
  readonly keyRange: Range | undefined;
  readonly value: PlainData;
  /** What is in a map by its keys, what is in a list by its indexes. */
  readonly members: ReadonlyMap<string, Located> | undefined;
  /** It has been reported as no value at all: nothing more is said about it. */
  readonly refused: boolean;
}

export type YamlResult =
  | { readonly ok: true; readonly source: SourceText; readonly root: Located; readonly findings: readonly Finding[] }
  | { readonly ok: false; readonly findings: readonly Finding[] };

type Report = (range: Range, problem: Problem) => void;

const FORBIDDEN_KEYS = new Set(["__proto__", "constructor", "prototype"]);

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Report unsafe characters as written, and return the text with each of them replaced, so that parsing can go on. */
function withoutUnsafe(text: string, report: Report): string {
  if (firstUnsafeCharacter(text.replace(/\r?\n/gu, "")) === undefined) return text;
  let clean = "";
  let offset = 0;
  for (const character of text) {
    const shown =
      character === "\n" || (character === "\r" && text[offset + 1] === "\n")
        ? undefined
        : firstUnsafeCharacter(character);
    if (shown !== undefined) {
      const range: Range = [offset, offset + character.length];
      report(range, { code: "UNSAFE_CHARACTER", message: `the character ${shown} is not allowed in this file` });
    }
    clean += shown === undefined ? character : "?".repeat(character.length);
    offset += character.length;
  }
  return clean;
}

/**
 * Refuse by token what must never reach the parser. Its composer recurses once a level, and a stack overflow inside of it
 * can end the process (V8 treats one that hits while a regular expression compiles as out of memory), so depth is bounded
 * here: exactly for `[` and `{`, and for block collections by the columns of `-`, `?` and keys, which is never less than
 * half of the true depth.
 * @returns the tokens, or undefined when the text must not be parsed
 */
function checkTokens(text: string, report: Report): readonly string[] | undefined {
  const tokens: string[] = [];
  let offset = 0;
  let lineStart = 0;
  let contentColumn: number | undefined;
  let flowDepth = 0;
  let documents = 0;
  let parsable = true;
  let columns: number[] = [];
  const openColumn = (column: number): void => {
    columns = columns.filter((open) => open < column);
    columns.push(column);
  };
  for (const token of new Lexer().lex(text)) {
    tokens.push(token);
    const type = CST.tokenType(token);
    // These three stand for a state of the lexer, not for characters of the text.
    if (type === "doc-mode" || type === "flow-error-end" || type === "scalar") continue;
    const range: Range = [offset, offset + token.length];
    const column = offset - lineStart;
    switch (type) {
      case "anchor":
      case "alias":
        report(range, { code: "YAML_REFERENCE", message: `anchors and aliases are not allowed: ${quoted(token)}` });
        parsable = false;
        break;
      case "tag":
        report(range, { code: "YAML_TAG", message: `tags are not allowed: ${quoted(token)}` });
        parsable = false;
        break;
      case "directive-line":
        report(range, { code: "YAML_DIRECTIVE", message: `directives are not allowed: ${quoted(token)}` });
        parsable = false;
        break;
      case "doc-start":
        documents++;
        if (documents > 1) {
          report(range, {
            code: "YAML_DOCUMENTS",
            message: "a second document begins here; one file holds one document",
          });
          parsable = false;
        }
        columns = [];
        break;
      case "doc-end":
        documents = Math.max(1, documents);
        columns = [];
        break;
      case "flow-map-start":
      case "flow-seq-start":
        flowDepth++;
        break;
      case "flow-map-end":
      case "flow-seq-end":
        flowDepth = Math.max(0, flowDepth - 1);
        break;
      case "seq-item-ind":
      case "explicit-key-ind":
        if (flowDepth === 0) openColumn(column);
        break;
      case "map-value-ind":
        if (flowDepth === 0) openColumn(contentColumn ?? column);
        break;
      case "newline":
      case "space":
      case "comment":
      case "comma":
      case "byte-order-mark":
        break;
      case "block-scalar-header":
      case "single-quoted-scalar":
      case "double-quoted-scalar":
      case null:
        // Content before the first `---` makes the document after it a second one.
        documents = Math.max(1, documents);
        contentColumn = column;
    }
    if (flowDepth > MAX_DEPTH || columns.length > MAX_DEPTH) {
      report(range, { code: "TOO_DEEP", message: `nested more than ${MAX_DEPTH} levels deep` });
      return undefined;
    }
    offset += token.length;
    const lineBreak = token.lastIndexOf("\n");
    if (lineBreak !== -1) {
      lineStart = offset - token.length + lineBreak + 1;
      contentColumn = undefined;
    }
  }
  return parsable ? tokens : undefined;
}

/** What the tokens mean, and what is wrong with them. The text is not split into tokens a second time. */
function composeDocument(tokens: readonly string[], length: number): Document.Parsed {
  function* structure(): Generator<CST.Token> {
    const parser = new Parser();
    for (const token of tokens) yield* parser.next(token);
    yield* parser.end();
  }
  const composer = new Composer({
    schema: "failsafe",
    strict: true,
    stringKeys: true,
    merge: false,
    // Duplicates are found below, with the same rule for every way of quoting.
    uniqueKeys: false,
    prettyErrors: false,
  });
  const [document, second] = composer.compose(structure(), true, length);
  if (document === undefined) throw new TypeError("the composer gives a document for every text");
  if (second !== undefined) {
    const [from, to] = second.range;
    document.errors.push(new YAMLParseError([from, to], "MULTIPLE_DOCS", "a second document"));
  }
  return document;
}

function syntaxHint(source: string, from: number): string | undefined {
  const line = source.slice(source.lastIndexOf("\n", from - 1) + 1, from + 80);
  if (/:\s*[>|][^\n]*[0-9=]/u.test(line)) return 'a range needs quotes: version: ">=20"';
  if (line.includes("\t")) return "YAML is indented by spaces, not by tabs";
  return undefined;
}

function rangeOf(node: Node | null | undefined, fallback: number): Range {
  const range = node?.range;
  return range === null || range === undefined ? [fallback, fallback] : [range[0], Math.max(range[0], range[1])];
}

interface Reading {
  readonly report: Report;
  /** No character of the text can be an unsafe one, not even behind an escape: no value has to be looked at. */
  readonly isPlain: boolean;
}

/** Printable ASCII without a backslash. Not by Unicode's tables: this is most of what manifests are. */
const PLAIN_TEXT = /^[\t\n\r\x20-\x5b\x5d-\x7e]*$/;

function scalarText(
  reading: Reading,
  node: Scalar | null,
  range: Range,
  keyRange: Range | undefined,
): string | undefined {
  const text = typeof node?.value === "string" ? node.value : "";
  // A key without a colon, in `{ a }`, has no node at all.
  if (node === null || (node.type === "PLAIN" && /^(?:|~|null|Null|NULL)$/u.test(text))) {
    const place = text === "" && keyRange !== undefined ? keyRange : range;
    reading.report(place, {
      code: "EMPTY_VALUE",
      message: text === "" ? "there is no value here" : `${quoted(text)} is no value`,
      hint: "leave the key out, or quote the text if it is meant",
    });
    return undefined;
  }
  checkEscapes(reading, text, range);
  return text;
}

/** Unsafe characters that are written as such are reported already; here are those behind an escape (`"\x1b"`). */
function checkEscapes(reading: Reading, text: string, range: Range): void {
  if (reading.isPlain) return;
  const shown = firstUnsafeCharacter(text.replaceAll("\n", ""));
  if (shown === undefined) return;
  reading.report(range, {
    code: "UNSAFE_CHARACTER",
    message: `the text holds the character ${shown}, which is not allowed`,
  });
}

function locate(reading: Reading, node: Node | null, keyRange: Range | undefined, depth: number): Located {
  const range = rangeOf(node, keyRange?.[1] ?? 0);
  if (depth > MAX_DEPTH) {
    reading.report(range, { code: "TOO_DEEP", message: `nested more than ${MAX_DEPTH} levels deep` });
    return { range, keyRange, value: "", members: undefined, refused: true };
  }
  if (isMap<unknown, Node | null>(node)) return locateMap(reading, node, keyRange, depth);
  if (isSeq<Node | null>(node)) {
    const items = node.items.map((item) => locate(reading, item, undefined, depth + 1));
    const members = new Map(items.map((item, index) => [String(index), item]));
    return { range, keyRange, members, value: items.map((item) => item.value), refused: false };
  }
  const text = scalarText(reading, isScalar(node) ? node : null, range, keyRange);
  return { range, keyRange, value: text ?? "", members: undefined, refused: text === undefined };
}

function locateMap(
  reading: Reading,
  node: YAMLMap<unknown, Node | null>,
  keyRange: Range | undefined,
  depth: number,
): Located {
  const members = new Map<string, Located>();
  const value: Record<string, PlainData> = {};
  for (const pair of node.items) {
    // `stringKeys` makes anything else a syntax error, so there is nothing to say here.
    if (!isScalar(pair.key) || typeof pair.key.value !== "string") continue;
    const key = pair.key.value;
    const place = rangeOf(pair.key, node.range?.[0] ?? 0);
    checkEscapes(reading, key, place);
    const member = locate(reading, pair.value, place, depth + 1);
    const earlier = members.get(key);
    if (FORBIDDEN_KEYS.has(key)) {
      reading.report(place, { code: "FORBIDDEN_KEY", message: `${quoted(key)} is not allowed as a key` });
    } else if (key === "<<") {
      reading.report(place, { code: "YAML_REFERENCE", message: "merge keys are not allowed: `<<`" });
    } else if (earlier === undefined) {
      members.set(key, member);
      value[key] = member.value;
    } else {
      reading.report(place, { code: "DUPLICATE_KEY", message: `the key ${quoted(key)} is written twice` });
    }
  }
  return { range: rangeOf(node, keyRange?.[1] ?? 0), keyRange, members, value, refused: false };
}

/**
 * Read one YAML document as plain data with places: UTF-8, at most 256 KiB, at most 32 levels, every scalar the text that
 * was written (`2.10`, `012`, `yes`), no anchors, aliases, merge keys, tags, directives or second documents, no key twice.
 * `ok: false` when the text cannot be understood as YAML at all; otherwise the problems found so far come with the data.
 */
export function readYamlDocument(bytes: Uint8Array, file: string): YamlResult {
  const findings: Finding[] = [];
  const failed = (problem: Problem): YamlResult => ({
    ok: false,
    findings: [findingAt(sourceText(file, ""), [0, 0], problem)],
  });
  if (bytes.byteLength > MAX_BYTES) {
    return failed({
      code: "FILE_TOO_LARGE",
      message: `the file has ${bytes.byteLength} bytes; at most ${MAX_BYTES} are read`,
    });
  }
  const decoded = decode(bytes);
  if (decoded === undefined) return failed({ code: "NOT_UTF8", message: "the file is not UTF-8" });

  const source = sourceText(file, decoded);
  const report: Report = (range, problem) => {
    // One more than are listed, so that the list can say that there are more.
    if (findings.length <= MAX_FINDINGS) findings.push(findingAt(source, range, problem));
  };
  const text = withoutUnsafe(decoded, report);
  const tokens = checkTokens(text, report);
  if (tokens === undefined) return { ok: false, findings };

  const document = composeDocument(tokens, text.length);
  const problems = [...document.errors, ...document.warnings];
  // A hint looks at the whole line, which may be all of the file: only for problems that will be listed.
  for (const { code, message, pos } of problems.slice(0, MAX_FINDINGS + 1)) {
    const [from, to] = pos;
    if (code === "MULTIPLE_DOCS")
      report([from, to], { code: "YAML_DOCUMENTS", message: "one file holds one document" });
    else
      report([from, to], { code: "YAML_SYNTAX", message: message.replace(/\s+/gu, " "), hint: syntaxHint(text, from) });
  }
  if (problems.length > 0) return { ok: false, findings };
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === "")) {
    report([0, 0], { code: "EMPTY_VALUE", message: "the file is empty" });
    return { ok: false, findings };
  }
  return {
    ok: true,
    source,
    root: locate({ report, isPlain: PLAIN_TEXT.test(text) }, document.contents, undefined, 1),
    findings,
  };
}
