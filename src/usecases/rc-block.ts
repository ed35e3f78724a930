/**
 * The block that `setup` adds to a shell's rc file. Everything is done on bytes: an rc file may be in any encoding, and
 * taking the block out gives back exactly what was there before.
 */

const BEGIN = "# >>> ipm >>>";
const END = "# <<< ipm <<<";
const NOTE = "# `ipm setup` wrote this block; `ipm self remove` takes it out";
const NOTE_LINE_BREAK = ", with the line break before it";
const NOTE_FILE = ", with the file when nothing else is in it";

export interface FoundBlock {
  /** Byte offsets of the block, its last line break included. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Find the block in a file.
 * @returns null when there is none; `damaged` when it begins and does not end, so that nobody can tell what is ours
 */
export function findRcBlock(content: Uint8Array): FoundBlock | "damaged" | null {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  let start = -1;
  for (let from = 0; ; from = start + 1) {
    start = bytes.indexOf(`${BEGIN}\n`, from);
    if (start < 0) return null;
    if (start === 0 || bytes[start - 1] === 0x0a) break;
  }
  const endLine = bytes.indexOf(`\n${END}`, start);
  if (endLine < 0) return "damaged";
  let end = endLine + 1 + END.length;
  if (bytes[end] === 0x0a) end++;
  else if (end !== bytes.length) return "damaged";
  return { start, end, text: bytes.toString("utf8", start, end) };
}

/**
 * The file with the block: in place of an older one, else at the end.
 * @param content null when there is no file yet
 * @returns null when exactly this block is there already, `damaged` when an older one cannot be told from the rest
 */
export function addRcBlock(content: Uint8Array | null, lines: readonly string[]): Uint8Array | "damaged" | null {
  const before = Buffer.from(content ?? new Uint8Array());
  const compose = (note: string): Buffer => Buffer.from(`${[BEGIN, note, ...lines, END].join("\n")}\n`, "utf8");
  const found = findRcBlock(before);
  if (found === "damaged") return "damaged";
  if (found !== null) {
    // The note tells how to undo what was done first; a newer block in its place keeps it.
    const note = found.text.split("\n")[1] ?? "";
    const block = compose(note.startsWith(NOTE) ? note : NOTE);
    if (block.equals(before.subarray(found.start, found.end))) return null;
    return Buffer.concat([before.subarray(0, found.start), block, before.subarray(found.end)]);
  }
  const needsLineBreak = before.length > 0 && before.at(-1) !== 0x0a;
  const note = `${NOTE}${content === null ? NOTE_FILE : ""}${needsLineBreak ? NOTE_LINE_BREAK : ""}`;
  return Buffer.concat([before, Buffer.from(needsLineBreak ? "\n" : ""), compose(note)]);
}

export interface WithoutBlock {
  readonly content: Uint8Array;
  /** The file was made for the block and holds nothing else. */
  readonly removeFile: boolean;
}

/** The file as it was before `addRcBlock`, with everything that was written around the block since. */
export function removeRcBlock(content: Uint8Array, block: FoundBlock): WithoutBlock {
  const bytes = Buffer.from(content);
  const note = block.text.split("\n")[1] ?? "";
  let start = block.start;
  const isLast = block.end === bytes.length;
  // What was written after the block needs the line break; at the end it was ours alone.
  if (isLast && note.includes(NOTE_LINE_BREAK) && bytes[start - 1] === 0x0a) start--;
  const rest = Buffer.concat([bytes.subarray(0, start), bytes.subarray(block.end)]);
  return { content: rest, removeFile: rest.length === 0 && note.includes(NOTE_FILE) };
}
