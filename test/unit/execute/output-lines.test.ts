import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LineSplitter, MAX_LINE_BYTES, cleanLine } from "../../../src/execute/output-lines.ts";

function split(...chunks: (string | Uint8Array)[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const chunk of chunks) splitter.write(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
  splitter.end();
  return lines;
}

describe("LineSplitter", () => {
  test("gives whole lines, and the last one without a line feed", () => {
    expect(split("a\nb\n\nc")).toEqual(["a", "b", "", "c"]);
    expect(split("a\n")).toEqual(["a"]);
    expect(split("")).toEqual([]);
  });

  test("puts together what two writes cut: a line, a character, a line end", () => {
    expect(split("hel", "lo\nwor", "ld\n")).toEqual(["hello", "world"]);
    expect(split(Buffer.from([0xc3]), Buffer.from([0xa9, 0x0a]))).toEqual(["é"]);
    expect(split("a\r", "\nb\r\n")).toEqual(["a", "b"]);
  });

  test("keeps of a progress bar what a terminal would show at the end", () => {
    expect(split("10%\r20%\r", "30", "%\r100%\ndone\n")).toEqual(["100%", "done"]);
    expect(split("10%\r20%\r")).toEqual(["20%"]);
  });

  test("A15: makes control sequences visible, whatever the writes cut", () => {
    const hostile = "a\u001b]52;c;eA==\u0007b\u009b31mc\u001b_payload\u001b\\d\be\u202ef";
    const [whole] = split(hostile);
    expect(whole).toBe("a\\x1b]52;c;eA==\\x07b\\x9b31mc\\x1b_payload\\x1b\\d\\x08e\\u202ef");
    for (let cut = 0; cut <= hostile.length; cut++)
      expect(split(hostile.slice(0, cut), hostile.slice(cut))).toEqual([whole]);
  });

  test("drops colours and nothing else of a terminal's language", () => {
    expect(cleanLine("\u001b[1;32mok\u001b[0m\u001b[K")).toBe("ok");
    expect(cleanLine("\u001b[2J\u001b[8;1H")).toBe("\\x1b[2J\\x1b[8;1H");
  });

  test("C54: cuts a line without end, counts the rest, and goes on with the next", () => {
    const chunks = Array.from({ length: 100 }, () => "x".repeat(1000));
    expect(split(...chunks, "\nnext\n")).toEqual([
      `${"x".repeat(MAX_LINE_BYTES)}… (${100_000 - MAX_LINE_BYTES} more bytes)`,
      "next",
    ]);
  });

  test("gives the same lines however the output is cut into chunks", () => {
    const piece = fc.constantFrom("a", "é", "日", "\n", "\r", "\r\n", "\u001b[31m", "\u0007", "word ", "\ud83d\ude00");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), fc.array(fc.nat(120), { maxLength: 6 }), (pieces, cuts) => {
        const bytes = Buffer.from(pieces.join(""));
        const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).toSorted((a, b) => a - b), bytes.length];
        const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index] ?? 0, end));
        expect(split(...chunks)).toEqual(split(bytes));
      }),
      { numRuns: 1000 },
    );
  });
});
