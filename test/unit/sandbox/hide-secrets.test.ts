import fc from "fast-check";
import { expect, test } from "vitest";
import { hideSecrets } from "../../../src/sandbox/hide-secrets.ts";

/** What comes out of stdout when it goes in by these chunks. */
function through(secrets: readonly string[], chunks: readonly Uint8Array[]): string {
  const seen: Uint8Array[] = [];
  const hidden = hideSecrets(secrets, (_stream, chunk) => seen.push(chunk));
  for (const chunk of chunks) hidden.onOutput("stdout", chunk);
  hidden.end();
  return Buffer.concat(seen).toString();
}

test("a secret is hidden wherever chunks end, and everything else arrives as it was", () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom("hunter2", "hunter", "hu", "é", "\n", "x")),
      fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
      (words, sizes) => {
        const bytes = Buffer.from(words.join(""));
        const chunks: Uint8Array[] = [];
        for (let at = 0; at < bytes.length;) {
          const size = sizes.next().value ?? 1;
          chunks.push(bytes.subarray(at, at + size));
          at += size;
        }
        expect(through(["hunter2"], chunks)).toBe(words.join("").replaceAll("hunter2", "[credential]"));
      },
    ),
  );
});

test("nothing waits but what could be the beginning of a secret", () => {
  const seen: string[] = [];
  const hidden = hideSecrets(["tökén"], (stream, chunk) => seen.push(`${stream} ${Buffer.from(chunk).toString()}`));
  hidden.onOutput("stdout", Buffer.from("progress "));
  hidden.onOutput("stderr", Buffer.from("50 % t"));
  hidden.onOutput("stderr", Buffer.from("ökén"));
  expect(seen).toEqual(["stdout progress ", "stderr 50 % ", "stderr [credential]"]);
});
