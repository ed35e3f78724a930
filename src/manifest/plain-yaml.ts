import { MAX_BYTES } from "./limits.ts";
import type { PlainData } from "./yaml-document.ts";

/**
 * A reader of the plain part of YAML that most manifests are written in: block maps and lists, texts on one line, quoted
 * texts without escapes, lists and maps in brackets on one line, comments on lines of their own. It says nothing about
 * anything else, and nothing about what is wrong: the full parser reads that, and says where. What it does understand, it
 * understands as the full parser does (a test compares the two on thousands of texts, most of them damaged).
 */

/** Deeper ones are left to the full parser, which has a limit of its own. */
const MAX_PLAIN_DEPTH = 16;

// No tab, no carriage return, nothing but ASCII: no Unicode to look into, no columns to argue about.
const PLAIN_ASCII = /^[\n\x20-\x7e]*$/;
const KEY = /^[A-Za-z0-9_][A-Za-z0-9_./-]*$/;
/** A key at the begin of a line, and what follows its colon. */
const PAIR = /^(?<key>[A-Za-z0-9_][A-Za-z0-9_./-]*|"[^"\\]*"):(?:$| +(?<value>\S.*)$)/;
const PLAIN_TEXT = /^[A-Za-z0-9_./($^=+<~][\x20-\x7e]*$/;
/** What ends a plain text, begins a comment in it, or makes it a map. */
const NOT_PLAIN = /: | #|:$/;
const NO_VALUE = /^(?:~|null|Null|NULL)$/;
const FORBIDDEN = new Set(["__proto__", "constructor", "prototype", "<<"]);
/** A text in brackets: without what could end or nest it; a colon only inside of a word. */
const FLOW_TEXT = /[A-Za-z0-9_./$^=+~](?:[A-Za-z0-9_./$^=+~@()<> -]|:(?=[A-Za-z0-9/]))*/y;
const FLOW_QUOTED = /"[^"\\]*"|'[^']*'/y;
const SPACES = / */y;

interface Line {
  readonly indent: number;
  readonly text: string;
}

/** Thrown and caught here only: this text is for the full parser. */
class NotPlain extends Error {}

function giveUp(): never {
  throw NOT_FOR_ME;
}
// One object: making a stack for each would cost more than reading the text.
const NOT_FOR_ME = new NotPlain();

class PlainReader {
  readonly #lines: Line[] = [];
  #at = 0;

  constructor(text: string) {
    for (const line of text.split("\n")) {
      const trimmed = line.trimStart();
      if (trimmed === "" || trimmed.startsWith("#")) continue;
      // A space at the end may or may not belong to a text.
      if (line.endsWith(" ") || /^(?:---|\.\.\.|%)/.test(line)) giveUp();
      this.#lines.push({ indent: line.length - trimmed.length, text: trimmed });
    }
  }

  read(): PlainData {
    const [first] = this.#lines;
    if (first === undefined || first.indent !== 0) giveUp();
    if (this.#lines.length === 1 && /^[[{]/.test(first.text)) {
      this.#at = 1;
      return this.#inline(first.text, 0, 0);
    }
    const value = this.#block(0, 1);
    if (this.#at < this.#lines.length) giveUp();
    return value;
  }

  get #line(): Line | undefined {
    return this.#lines[this.#at];
  }

  #block(indent: number, depth: number): PlainData {
    if (depth > MAX_PLAIN_DEPTH) giveUp();
    return this.#line?.text.startsWith("- ") === true ? this.#list(indent, depth) : this.#map(indent, depth);
  }

  #map(indent: number, depth: number): PlainData {
    const map: Record<string, PlainData> = {};
    for (let line = this.#line; line?.indent === indent; line = this.#line) {
      const pair = PAIR.exec(line.text)?.groups;
      if (pair === undefined) {
        // The list that this map is an item of goes on.
        if (line.text.startsWith("- ") && depth > 1) break;
        giveUp();
      }
      const key = unquoted(pair["key"] ?? "");
      if (FORBIDDEN.has(key) || Object.hasOwn(map, key)) giveUp();
      this.#at++;
      map[key] = pair["value"] === undefined ? this.#below(indent, depth) : this.#inline(pair["value"], indent, depth);
    }
    return map;
  }

  /** The value of a key that has nothing behind its colon. */
  #below(indent: number, depth: number): PlainData {
    const line = this.#line;
    if (line === undefined || line.indent < indent) giveUp();
    if (line.indent > indent) return this.#block(line.indent, depth + 1);
    return line.text.startsWith("- ") ? this.#list(indent, depth + 1) : giveUp();
  }

  #list(indent: number, depth: number): PlainData {
    const list: PlainData[] = [];
    for (let line = this.#line; line?.indent === indent && line.text.startsWith("- "); line = this.#line) {
      const item = line.text.slice(2);
      if (item.startsWith(" ") || item.startsWith("- ")) giveUp();
      if (PAIR.test(item)) {
        this.#lines[this.#at] = { indent: indent + 2, text: item };
        list.push(this.#map(indent + 2, depth + 1));
      } else {
        this.#at++;
        list.push(this.#inline(item, indent, depth));
      }
    }
    return list;
  }

  /** A value on one line; a line below that is indented more would belong to it. */
  #inline(text: string, indent: number, depth: number): PlainData {
    if ((this.#line?.indent ?? 0) > indent) giveUp();
    const [first] = text;
    if (first === '"' || first === "'") {
      FLOW_QUOTED.lastIndex = 0;
      const quoted = FLOW_QUOTED.exec(text)?.[0];
      return quoted?.length === text.length ? unquoted(text) : giveUp();
    }
    if (first === "[" || first === "{") {
      const flow = new FlowReader(text);
      const value = flow.value(depth + 1);
      return flow.isDone ? value : giveUp();
    }
    if (!PLAIN_TEXT.test(text) || NOT_PLAIN.test(text) || NO_VALUE.test(text)) giveUp();
    return text;
  }
}

function unquoted(text: string): string {
  return text.startsWith('"') || text.startsWith("'") ? text.slice(1, -1) : text;
}

/** Lists and maps in brackets. */
class FlowReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isDone(): boolean {
    return this.#at === this.#text.length;
  }

  value(depth: number): PlainData {
    if (depth > MAX_PLAIN_DEPTH) giveUp();
    const next = this.#text[this.#at];
    if (next === "[") return this.#list(depth);
    if (next === "{") return this.#map(depth);
    if (next === '"' || next === "'") return unquoted(this.#match(FLOW_QUOTED));
    const text = this.#match(FLOW_TEXT).trimEnd();
    if (NO_VALUE.test(text) || text.includes(" #")) giveUp();
    return text;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) giveUp();
    this.#at += found.length;
    return found;
  }

  #skip(expected: string): boolean {
    if (this.#text[this.#at] !== expected) return false;
    this.#at++;
    return true;
  }

  #members(end: string, member: () => void): void {
    this.#at++;
    this.#match(SPACES);
    if (this.#skip(end)) return;
    do {
      this.#match(SPACES);
      member();
      this.#match(SPACES);
    } while (this.#skip(","));
    if (!this.#skip(end)) giveUp();
  }

  #list(depth: number): PlainData {
    const list: PlainData[] = [];
    this.#members("]", () => list.push(this.value(depth + 1)));
    return list;
  }

  #map(depth: number): PlainData {
    const map: Record<string, PlainData> = {};
    this.#members("}", () => {
      const isQuoted = this.#text[this.#at] === '"';
      const end = isQuoted ? undefined : this.#text.indexOf(":", this.#at);
      const key = end === undefined ? unquoted(this.#match(FLOW_QUOTED)) : this.#text.slice(this.#at, end);
      if (end !== undefined) {
        if (!KEY.test(key)) giveUp();
        this.#at = end;
      }
      if (!this.#skip(":")) giveUp();
      if (!isQuoted && this.#text[this.#at] !== " ") giveUp();
      this.#match(SPACES);
      if (FORBIDDEN.has(key) || Object.hasOwn(map, key)) giveUp();
      map[key] = this.value(depth + 1);
    });
    return map;
  }
}

/** The data of a text in the plain part of YAML, every scalar the text that was written; undefined for any other text. */
export function readPlainYaml(bytes: Uint8Array): PlainData | undefined {
  if (bytes.byteLength > MAX_BYTES) return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  if (!PLAIN_ASCII.test(text)) return undefined;
  try {
    return new PlainReader(text).read();
  } catch (error) {
    if (error instanceof NotPlain) return undefined;
    throw error;
  }
}
