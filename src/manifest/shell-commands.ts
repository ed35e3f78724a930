/** One simple command of a shell text, as far as reading without running can tell. */
export interface ShellCommand {
  /** Program and arguments, quotes taken off; never empty. Expansions stay as written (`$IPM_PREFIX/bin`). */
  readonly words: readonly [string, ...string[]];
  /** Variables set for it alone: `CC` of `CC=clang make`. */
  readonly assignments: readonly string[];
  /** What stands after it: a pipe, `&&`, `||`, `;` (or a line's end), `&`, or nothing. */
  readonly ending: "|" | "&&" | "||" | ";" | "&" | "";
  /** Its output or input goes to or comes from a file: `> x`, `< x`. */
  readonly redirects: readonly string[];
}

// Words in front of a command that do not change what is run.
const WRAPPERS = new Set([
  "exec",
  "command",
  "time",
  "nice",
  "nohup",
  "then",
  "do",
  "else",
  "if",
  "while",
  "until",
  "!",
  "{",
]);

interface Token {
  readonly kind: "word" | "operator";
  readonly text: string;
  /** Texts of `$(…)`, backquotes and `<(…)` within a word. */
  readonly inner: readonly string[];
}

/** The text up to the bracket that closes, from behind the opening one; quotes inside are minded. */
function untilClosing(text: string, from: number): number {
  let depth = 1;
  let quote = "";
  for (let at = from; at < text.length; at++) {
    const character = text[at] ?? "";
    if (character === "\\") at++;
    else if (quote !== "") quote = character === quote ? "" : quote;
    else if (character === "'" || character === '"') quote = character;
    else if (character === "(") depth++;
    else if (character === ")" && --depth === 0) return at;
  }
  return text.length;
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let word: string | undefined;
  let inner: string[] = [];
  let at = 0;
  const heredocs: string[] = [];
  const flush = (): void => {
    if (word !== undefined) tokens.push({ kind: "word", text: word, inner });
    word = undefined;
    inner = [];
  };
  const operator = (op: string): void => {
    flush();
    tokens.push({ kind: "operator", text: op, inner: [] });
    at += op.length;
  };
  const substitution = (open: string): void => {
    const end = untilClosing(text, at + open.length);
    const body = text.slice(at + open.length, end);
    inner.push(body);
    word = `${word ?? ""}${open}${body})`;
    at = end + 1;
  };
  while (at < text.length) {
    const character = text[at] ?? "";
    const rest = text.slice(at, at + 3);
    if (character === "\\") {
      if (text[at + 1] !== "\n") word = (word ?? "") + (text[at + 1] ?? "");
      at += 2;
    } else if (character === "'") {
      const end = text.indexOf("'", at + 1);
      const stop = end === -1 ? text.length : end;
      word = (word ?? "") + text.slice(at + 1, stop);
      at = stop + 1;
    } else if (character === '"') {
      word ??= "";
      at++;
      while (at < text.length && text[at] !== '"') {
        if (text[at] === "\\") {
          word += text[at + 1] ?? "";
          at += 2;
        } else if (text.startsWith("$(", at)) substitution("$(");
        else word += text[at++] ?? "";
      }
      at++;
    } else if (character === "`") {
      const end = text.indexOf("`", at + 1);
      const stop = end === -1 ? text.length : end;
      inner.push(text.slice(at + 1, stop));
      word = (word ?? "") + text.slice(at, stop + 1);
      at = stop + 1;
    } else if (rest.startsWith("$(")) substitution("$(");
    else if (rest.startsWith("<(")) substitution("<(");
    else if (character === "#" && word === undefined) {
      const end = text.indexOf("\n", at);
      at = end === -1 ? text.length : end;
    } else if (character === "\n") {
      operator(";");
      for (const mark of heredocs.splice(0)) {
        const lines = text.slice(at).split("\n");
        const end = lines.findIndex((line) => line.trim() === mark);
        at += lines.slice(0, end === -1 ? lines.length : end + 1).join("\n").length;
      }
    } else if (/\s/u.test(character)) {
      flush();
      at++;
    } else if (rest.startsWith("&&") || rest.startsWith("||")) operator(rest.slice(0, 2));
    else if (/^[0-9&]?>{1,2}(?:&[0-9-])?/u.test(rest) && (word === undefined || character === ">")) {
      const [op = ">"] = /^[0-9&]?>{1,2}(?:&[0-9-])?/u.exec(text.slice(at)) ?? [];
      operator(op);
    } else if (rest.startsWith("<<") && !rest.startsWith("<<<")) {
      const [all = "<<", mark = ""] = /^<<-?\s*['"]?([A-Za-z_][A-Za-z0-9_]*)?['"]?/u.exec(text.slice(at)) ?? [];
      flush();
      at += all.length;
      if (mark !== "") heredocs.push(mark);
    } else if (character === "<") operator("<");
    else if (character === ";" || character === "|" || character === "&") operator(character);
    else if ((character === "(" || character === ")") && word === undefined) {
      flush();
      tokens.push({ kind: "operator", text: ";", inner: [] });
      at++;
    } else {
      word = (word ?? "") + character;
      at++;
    }
  }
  flush();
  return tokens;
}

const ENDS = new Map<string, ShellCommand["ending"]>([
  ["|", "|"],
  ["&&", "&&"],
  ["||", "||"],
  [";", ";"],
  ["&", "&"],
]);

function commandOf(
  words: readonly string[],
  redirects: readonly string[],
  ending: ShellCommand["ending"],
): ShellCommand[] {
  let rest = [...words];
  const assignments: string[] = [];
  for (;;) {
    const [first] = rest;
    if (first === undefined) return [];
    const name = /^([A-Za-z_][A-Za-z0-9_]*)=/u.exec(first)?.[1];
    if (name !== undefined) assignments.push(name);
    else if (first === "env") {
      rest = rest
        .slice(1)
        .filter((word, index, all) => !(word.startsWith("-") && all.slice(0, index).every((w) => w.startsWith("-"))));
      continue;
    } else if (!WRAPPERS.has(first) || rest[1]?.startsWith("-") === true) break;
    rest = rest.slice(1);
  }
  const [program = "", ...args] = rest;
  return /^(?:fi|done|esac|\}|\))$/u.test(program)
    ? []
    : [{ words: [program, ...args], assignments, ending, redirects }];
}

/**
 * The simple commands of a shell text in their order, those within `$(…)`, backquotes and `<(…)` before the command they
 * belong to. A reader for lint and drafts, not a shell: functions, `case` and arithmetic are read as plain words. Pure; any
 * text gives an answer.
 */
export function shellCommands(text: string): readonly ShellCommand[] {
  const commands: ShellCommand[] = [];
  let words: string[] = [];
  let redirects: string[] = [];
  let isTarget = false;
  const end = (ending: ShellCommand["ending"]): void => {
    commands.push(...commandOf(words, redirects, ending));
    words = [];
    redirects = [];
  };
  for (const token of tokensOf(text)) {
    for (const part of token.inner) commands.push(...shellCommands(part));
    const ending = token.kind === "operator" ? ENDS.get(token.text) : undefined;
    if (ending !== undefined) end(ending);
    else if (token.kind === "operator") isTarget = !token.text.includes(">&");
    else if (isTarget) {
      redirects.push(token.text);
      isTarget = false;
    } else words.push(token.text);
  }
  end("");
  return commands;
}

/** The name of a command's program without its folder: `/usr/bin/curl` is `curl`. */
export function programOf(command: ShellCommand): string {
  return command.words[0].slice(command.words[0].lastIndexOf("/") + 1);
}

/** The arguments that are no flags. */
export function operandsOf(command: ShellCommand): readonly string[] {
  return command.words.slice(1).filter((word) => !word.startsWith("-"));
}
