import { readFileSync, readdirSync } from "node:fs";

/** Processes, no zombies, whose command line holds a text: `pid command`. */
export function processesWith(text: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^[0-9]+$/u.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
        const state = /^State:\s+(\S)/mu.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
        return words.includes(text) && state !== "Z" ? [`${pid} ${words}`] : [];
      } catch {
        // It has ended.
        return [];
      }
    });
}

/** Wait until no process has the text in its command line. @returns those that are left after a second */
export async function leftAfterASecond(text: string): Promise<string[]> {
  const until = performance.now() + 1000;
  for (;;) {
    const left = processesWith(text);
    if (left.length === 0 || performance.now() > until) return left;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
