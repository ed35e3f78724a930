import { Document, isMap, isPair, isScalar, isSeq, parseDocument, visit } from "yaml";
import type { YAMLMap, YAMLSeq } from "yaml";
import { canonicalJson } from "../core/canonical-json.ts";
import type { Finding } from "./finding.ts";
import { inKeyOrder, keyOrderAt } from "./key-order.ts";
import type { Path } from "./validate.ts";
import { readYamlDocument, type PlainData } from "./yaml-document.ts";

export type FormatResult =
  | { readonly ok: true; readonly text: string }
  /** It cannot be understood as YAML: nothing is changed. */
  | { readonly ok: false; readonly findings: readonly Finding[] };

/** Read a text as `readYamlDocument` does, but as a document that can be changed and written again, comments kept. */
export function editableDocument(text: string): Document {
  return parseDocument(text, { schema: "failsafe", stringKeys: true, merge: false, uniqueKeys: false });
}

/** A new document of texts, lists and maps. What would be read as no value at all is quoted. */
export function newDocument(data: unknown): Document {
  const document = new Document(data, { schema: "failsafe" });
  visit(document, {
    Scalar: (_, node) => {
      if (/^(?:|~|null|Null|NULL)$/u.test(String(node.value))) node.type = "QUOTE_DOUBLE";
    },
  });
  return document;
}

function keyOf(pair: unknown): string {
  return isPair(pair) && isScalar(pair.key) ? String(pair.key.value) : "";
}

/** Put the keys of every map into canonical order; a comment goes along with the key it stands before or behind. */
export function orderKeys(node: unknown, path: Path = []): void {
  if (isMap(node)) {
    const order = keyOrderAt(path);
    if (order !== undefined) {
      const keys = node.items.map(keyOf);
      const sorted = inKeyOrder(keys, order);
      if (sorted.some((key, index) => key !== keys[index])) {
        const [first] = node.items;
        // A blank line before the first key would move with it, and the one that is first now would begin with one.
        node.items.sort((a, b) => sorted.indexOf(keyOf(a)) - sorted.indexOf(keyOf(b)));
        const [now] = node.items;
        if (first !== now && isPair(now) && isScalar(now.key)) now.key.spaceBefore = false;
        // What stands at the top of the file is about the file: the editor's line, a licence.
        if (path.length === 0 && isPair(first) && isScalar(first.key) && typeof first.key.commentBefore === "string") {
          node.commentBefore = first.key.commentBefore;
          first.key.commentBefore = null;
        }
      }
    }
    for (const pair of node.items) orderKeys(pair.value, [...path, keyOf(pair)]);
  } else if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) orderKeys(item, [...path, index]);
  }
}

type ToText = YAMLMap["toString"];

/** Never in a text that was read: control characters are refused. */
const SAME_LINE = "\u0001";

/**
 * The library's own writing of a node, corrected: `{ a: b }` has spaces inside and `[a, b]` has none (it knows one
 * setting for both), and `[uses: npm]` stays as short as that.
 */
function correct(node: YAMLMap | YAMLSeq, source: string): void {
  const original: ToText = Object.getPrototypeOf(node).toString;
  const padding = isMap(node) ? " " : "";
  const start = node.range?.[0];
  const isShort =
    isMap(node) && node.flow === true && node.items.length === 1 && start !== undefined && source[start] !== "{";
  const corrected: ToText = function toText(this: YAMLMap, context, ...rest) {
    const inner = context === undefined ? context : Object.assign({}, context, { flowCollectionPadding: padding });
    const text = original.call(this, inner, ...rest);
    return isShort && context?.inFlow === true ? text.replace(/^\{ (.*) \}$/u, "$1") : text;
  };
  Object.defineProperty(node, "toString", { value: corrected, configurable: true });
}

/** `versions: # newest first` stays on one line: the library would put the comment below. */
function markSameLine(pair: unknown, source: string): void {
  if (!isPair(pair) || !isScalar(pair.key) || (!isMap(pair.value) && !isSeq(pair.value))) return;
  const { commentBefore } = pair.value;
  const end = pair.key.range?.[1];
  if (typeof commentBefore !== "string" || end === undefined) return;
  if (/^[ \t]*:[ \t]+#/u.test(source.slice(end, end + 200))) pair.value.commentBefore = SAME_LINE + commentBefore;
}

/**
 * Write a document as the canonical formatter does: two spaces, LF, no folding, flow and block as they are.
 * @param source the text that the document was read from; empty for a new one
 */
export function documentText(document: Document, source = ""): string {
  visit(document, {
    Pair: (_, pair) => markSameLine(pair, source),
    Map: (_, node) => correct(node, source),
    Seq: (_, node) => correct(node, source),
  });
  const text = document.toString({
    lineWidth: 0,
    indent: 2,
    indentSeq: true,
    flowCollectionPadding: true,
    // "a\nb" stays on its line: folded over three it is hard to read, and harder to find.
    doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER,
  });
  const lines = text.split("\n").map((line) => line.trimEnd());
  const joined: string[] = [];
  for (const line of lines) {
    const [indent = "", comment] = line.split(`#${SAME_LINE}`);
    if (comment !== undefined && indent.trim() === "") joined.push(`${joined.pop() ?? ""} #${comment}`);
    else joined.push(line);
  }
  return `${joined.join("\n").trimEnd()}\n`;
}

/** The same value whatever the order of its keys. */
function meaning(value: PlainData): string {
  return canonicalJson(value);
}

/**
 * The canonical form of a manifest: keys in the schema's order, two spaces, LF, one line break at the end; comments, the
 * way of quoting, flow and block style and blank lines as they were. What it means does not change: that is checked, and a
 * text for which it would is returned as it came. Formatting twice gives the same as once.
 * @param file is only shown in findings
 */
export function formatManifest(bytes: Uint8Array, file: string): FormatResult {
  const before = readYamlDocument(bytes, file);
  if (!before.ok || before.findings.length > 0) return { ok: false, findings: before.findings };
  const text = before.source.text.replace(/^\uFEFF/u, "").replaceAll("\r\n", "\n");
  const document = editableDocument(text);
  orderKeys(document.contents);
  const formatted = documentText(document, text);
  const after = readYamlDocument(new TextEncoder().encode(formatted), file);
  const isSame = after.ok && meaning(after.root.value) === meaning(before.root.value);
  return { ok: true, text: isSame ? formatted : text };
}
