/**
 * Text from manifests, repositories, tools and servers is hostile: it may hold terminal control sequences, bidirectional
 * overrides or invisible characters. Everything of it that reaches a terminal, a log or a message goes through here.
 * Node's `stripVTControlCharacters` is not enough: it keeps DCS and APC payloads, CR, BS and bidi characters.
 */

// C0 (but tab), DEL, C1, soft hyphen, Arabic letter mark, zero-width and bidi controls, line and paragraph separators,
// invisible operators, byte order mark, interlinear marks, variation selectors 17+ and tags are made visible.
const UNSAFE =
  // oxlint-disable-next-line no-control-regex -- finding control characters is what it is for
  /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|[\u{e0000}-\u{e0fff}]/gu;

/** Nearly every text; found out in a tenth of the time that looking for each unsafe character takes. */
// oxlint-disable-next-line no-control-regex -- the printable ASCII characters
const PRINTABLE_ASCII = /^[\u0020-\u007e]*$/u;

function escapeCharacter(text: string): string {
  const point = text.codePointAt(0) ?? 0;
  if (point <= 0xff) return `\\x${point.toString(16).padStart(2, "0")}`;
  if (point <= 0xffff) return `\\u${point.toString(16).padStart(4, "0")}`;
  return `\\u{${point.toString(16)}}`;
}

/**
 * Make every control, bidi and invisible character visible as `\x1b` or `\u202e`. Line feeds are escaped too:
 * the result is always one line, so that it cannot forge a log entry or a line of ipm's own output.
 */
export function escapeUntrusted(text: string): string {
  return isPrintableAscii(text) ? text : text.replace(UNSAFE, escapeCharacter);
}

/** True for a text that every terminal shows as it is, a cell a character. */
export function isPrintableAscii(text: string): boolean {
  return PRINTABLE_ASCII.test(text);
}

/** Like `escapeUntrusted`, for text that may have several lines; line feeds are kept and CR LF counts as one. */
export function escapeUntrustedLines(text: string): string {
  return text.replaceAll("\r\n", "\n").split("\n").map(escapeUntrusted).join("\n");
}

/**
 * The text of a JSON document with every unsafe character written as `\uXXXX`, so that it means the same and can be
 * shown on a terminal; the line feeds of its indentation are kept.
 */
export function escapeUntrustedJson(json: string): string {
  const escapeUnit = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return json.replace(UNSAFE, (text) => (text === "\n" ? text : text.split("").map(escapeUnit).join("")));
}

/** The first character that `escapeUntrusted` would escape, already escaped, or undefined when the text is clean. */
export function firstUnsafeCharacter(text: string): string | undefined {
  UNSAFE.lastIndex = 0;
  const match = UNSAFE.exec(text);
  UNSAFE.lastIndex = 0;
  return match === null ? undefined : escapeCharacter(match[0]);
}

/** The text on one line, without control, bidi and invisible characters: for files that people edit. */
export function plainLine(text: string): string {
  return Array.from(text.replaceAll(/\s/gu, " "))
    .filter((character) => firstUnsafeCharacter(character) === undefined)
    .join("");
}

/** Replace the user information of every URL in a text (`https://user:token@host`) by `***`. */
export function redactCredentials(text: string): string {
  return text.replace(/\/\/[^/@\s]+@/gu, "//***@");
}

/** A URL or path fit for a message or an event: escaped, without credentials. */
export function shownUrl(url: string): string {
  return escapeUntrusted(redactCredentials(url));
}
