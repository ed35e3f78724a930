/**
 * A reader of TOML 1.0 (toml.io/en/v1.0.0) for `pyproject.toml`, `Cargo.toml` and the like: written for files of unknown
 * origin, so it is bounded, has no exponential paths and never throws. Numbers and dates are kept as their own text: no
 * recipe counts with them, and a version must not lose its zeros.
 */

export type TomlValue = string | boolean | TomlTable | readonly TomlValue[];
export interface TomlTable {
  readonly [key: string]: TomlValue;
}

export interface TomlDocument {
  readonly root: TomlTable;
  /** Line (from 1) where a key was first written, by its path; 0 when it is not there. */
  readonly lineOf: (...path: readonly string[]) => number;
}

const MAX_DEPTH = 32;
/** Larger than any file that people write; what tools write (lockfiles) is not read with this. */
const MAX_LENGTH = 1024 * 1024;
const BARE_KEY = /[A-Za-z0-9_-]+/uy;
const ATOM = /[^\s,\]}#=]+(?: \d{2}:\d{2}[^\s,\]}#]*)?/uy;
const ESCAPES: Readonly<Record<string, string>> = {
  b: "\b",
  t: "\t",
  n: "\n",
  f: "\f",
  r: "\r",
  e: "\u001b",
  '"': '"',
  "\\": "\\",
};

type Table = Record<string, TomlValue>;

function newTable(): Table {
  // Without a prototype: a key may be called `__proto__`.
  const table: Table = Object.create(null);
  return table;
}

function isTable(value: TomlValue | undefined): value is Table {
  return typeof value === "object" && !Array.isArray(value);
}

function isList(value: TomlValue): value is TomlValue[] {
  return Array.isArray(value);
}

function lastOf(list: readonly TomlValue[]): TomlValue | undefined {
  return list.at(-1);
}

class Malformed extends Error {}

class Reader {
  readonly root = newTable();
  readonly lines = new Map<string, number>();
  private readonly text: string;
  private at = 0;
  /** The line of the last place that was noted: places only go forwards. */
  private line = 1;
  private lineAt = 0;

  constructor(text: string) {
    this.text = text;
  }

  read(): void {
    let table: Table = this.root;
    let path: readonly string[] = [];
    for (;;) {
      this.skip(true);
      if (this.at >= this.text.length) return;
      if (this.text.startsWith("[[", this.at)) {
        this.at += 2;
        path = this.key();
        this.expect("]]");
        table = this.appendTable(path);
      } else if (this.text[this.at] === "[") {
        this.at += 1;
        path = this.key();
        this.expect("]");
        this.note(path);
        table = this.descend(this.root, path);
      } else this.pair(table, path, 0);
      this.endOfLine();
    }
  }

  private note(path: readonly string[]): void {
    const id = path.join("\u0000");
    if (this.lines.has(id)) return;
    for (; this.lineAt < this.at; this.lineAt++) if (this.text[this.lineAt] === "\n") this.line++;
    this.lines.set(id, this.line);
  }

  /** Blanks, and with `newlines` also line ends and comments. */
  private skip(newlines: boolean): void {
    for (;;) {
      const char = this.text[this.at];
      if (char === " " || char === "\t" || (newlines && (char === "\n" || char === "\r"))) this.at++;
      else if (newlines && char === "#") this.toLineEnd();
      else return;
    }
  }

  private toLineEnd(): void {
    const end = this.text.indexOf("\n", this.at);
    this.at = end === -1 ? this.text.length : end;
  }

  private endOfLine(): void {
    this.skip(false);
    if (this.text[this.at] === "#") this.toLineEnd();
    if (this.text[this.at] === "\r") this.at++;
    if (this.at < this.text.length && this.text[this.at] !== "\n") throw new Malformed();
  }

  private expect(word: string): void {
    this.skip(false);
    if (!this.text.startsWith(word, this.at)) throw new Malformed();
    this.at += word.length;
  }

  private key(): string[] {
    const parts: string[] = [];
    for (;;) {
      this.skip(false);
      const char = this.text[this.at];
      if (char === '"' || char === "'") parts.push(this.string(char));
      else {
        BARE_KEY.lastIndex = this.at;
        const found = BARE_KEY.exec(this.text)?.[0];
        if (found === undefined) throw new Malformed();
        this.at += found.length;
        parts.push(found);
      }
      if (parts.length > MAX_DEPTH) throw new Malformed();
      this.skip(false);
      if (this.text[this.at] !== ".") return parts;
      this.at++;
    }
  }

  private descend(from: Table, path: readonly string[]): Table {
    let table = from;
    for (const part of path) {
      const found = table[part];
      // `[a.b]` after `[[a]]` means the last of a.
      const next = Array.isArray(found) ? lastOf(found) : found;
      if (next === undefined) {
        const made = newTable();
        table[part] = made;
        table = made;
      } else if (isTable(next)) table = next;
      else throw new Malformed();
    }
    return table;
  }

  private appendTable(path: readonly string[]): Table {
    const last = path.at(-1);
    if (last === undefined) throw new Malformed();
    this.note(path);
    const parent = this.descend(this.root, path.slice(0, -1));
    const made = newTable();
    const list = parent[last];
    if (list === undefined) parent[last] = [made];
    else if (isList(list)) list.push(made);
    else throw new Malformed();
    return made;
  }

  private pair(table: Table, path: readonly string[], depth: number): void {
    const key = this.key();
    const last = key.at(-1);
    if (last === undefined) throw new Malformed();
    this.note([...path, ...key]);
    this.expect("=");
    this.skip(false);
    const parent = this.descend(table, key.slice(0, -1));
    if (parent[last] !== undefined) throw new Malformed();
    parent[last] = this.value([...path, ...key], depth);
  }

  private value(path: readonly string[], depth: number): TomlValue {
    if (depth > MAX_DEPTH) throw new Malformed();
    const char = this.text[this.at];
    if (char === '"' || char === "'") return this.string(char);
    if (char === "[") return this.list(path, depth);
    if (char === "{") return this.inlineTable(path, depth);
    ATOM.lastIndex = this.at;
    const atom = ATOM.exec(this.text)?.[0];
    if (atom === undefined) throw new Malformed();
    this.at += atom.length;
    if (atom === "true" || atom === "false") return atom === "true";
    return atom;
  }

  private list(path: readonly string[], depth: number): TomlValue[] {
    const items: TomlValue[] = [];
    this.at++;
    for (;;) {
      this.skip(true);
      if (this.text[this.at] === "]") break;
      items.push(this.value(path, depth + 1));
      this.skip(true);
      if (this.text[this.at] === ",") this.at++;
      else if (this.text[this.at] !== "]") throw new Malformed();
    }
    this.at++;
    return items;
  }

  private inlineTable(path: readonly string[], depth: number): Table {
    const table = newTable();
    this.at++;
    for (;;) {
      this.skip(true);
      if (this.text[this.at] === "}") break;
      this.pair(table, path, depth + 1);
      this.skip(true);
      if (this.text[this.at] === ",") this.at++;
      else if (this.text[this.at] !== "}") throw new Malformed();
    }
    this.at++;
    return table;
  }

  private string(quote: string): string {
    const isLong = this.text.startsWith(quote.repeat(3), this.at);
    this.at += isLong ? 3 : 1;
    if (isLong) {
      if (this.text.startsWith("\r\n", this.at)) this.at += 2;
      else if (this.text[this.at] === "\n") this.at++;
    }
    const end = isLong ? quote.repeat(3) : quote;
    let result = "";
    for (;;) {
      const char = this.text[this.at];
      if (char === undefined || (!isLong && char === "\n")) throw new Malformed();
      if (this.text.startsWith(end, this.at)) {
        this.at += end.length;
        // Up to two quotes may stand directly before the closing three.
        const extra = isLong ? [this.text[this.at], this.text[this.at + 1]] : [];
        const count = extra[0] !== quote ? 0 : extra[1] === quote ? 2 : 1;
        this.at += count;
        result += quote.repeat(count);
        return result;
      }
      if (char === "\\" && quote === '"') result += this.escape(isLong);
      else {
        result += char;
        this.at++;
      }
    }
  }

  private escape(isLong: boolean): string {
    this.at++;
    const char = this.text[this.at] ?? "";
    const digits = { u: 4, U: 8, x: 2 }[char];
    if (digits !== undefined) {
      const hex = this.text.slice(this.at + 1, this.at + 1 + digits);
      const code = /^[0-9A-Fa-f]+$/u.test(hex) && hex.length === digits ? Number.parseInt(hex, 16) : -1;
      if (code < 0 || code > 0x10_ff_ff || (code >= 0xd8_00 && code <= 0xdf_ff)) throw new Malformed();
      this.at += 1 + digits;
      return String.fromCodePoint(code);
    }
    const plain = ESCAPES[char];
    if (plain !== undefined) {
      this.at++;
      return plain;
    }
    // A backslash at a line's end joins it with the next text.
    const blank = /[ \t]*\r?\n\s*/uy;
    blank.lastIndex = this.at;
    const joined = isLong ? blank.exec(this.text)?.[0] : undefined;
    if (joined === undefined) throw new Malformed();
    this.at += joined.length;
    return "";
  }
}

/** Parse a TOML text; null when it is malformed (or nested deeper than any real file). */
export function parseToml(text: string): TomlDocument | null {
  if (text.length > MAX_LENGTH) return null;
  const reader = new Reader(text.replace(/^\uFEFF/u, ""));
  try {
    reader.read();
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
  return { root: reader.root, lineOf: (...path) => reader.lines.get(path.join("\u0000")) ?? 0 };
}

/** The value at a path of tables, or undefined. */
export function tomlAt(root: TomlTable, ...path: readonly string[]): TomlValue | undefined {
  let value: TomlValue | undefined = root;
  for (const part of path) {
    if (!isTable(value)) return undefined;
    value = Object.hasOwn(value, part) ? value[part] : undefined;
  }
  return value;
}

/** The text at a path, or null. */
export function tomlText(root: TomlTable, ...path: readonly string[]): string | null {
  const value = tomlAt(root, ...path);
  return typeof value === "string" ? value : null;
}

/** The texts of a list at a path; empty when there is none. */
export function tomlTexts(root: TomlTable, ...path: readonly string[]): readonly string[] {
  const value = tomlAt(root, ...path);
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}

/** The table at a path; an empty one when there is none. */
export function tomlTable(root: TomlTable, ...path: readonly string[]): TomlTable {
  const value = tomlAt(root, ...path);
  return isTable(value) ? value : newTable();
}

/** The tables of a list of tables at a path; empty when there is none. */
export function tomlTables(root: TomlTable, ...path: readonly string[]): readonly TomlTable[] {
  const value = tomlAt(root, ...path);
  return Array.isArray(value) ? value.filter((item): item is TomlTable => isTable(item)) : [];
}
