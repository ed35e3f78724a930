import { spawnSync } from "node:child_process";
import path from "node:path";
import { IPM, ROOT } from "./built-ipm.ts";

/** Parts of Node that take from a quarter of a millisecond (os) to six (crypto) to load. */
const SLOW = [
  "child_process",
  "crypto",
  "fs/promises",
  "http",
  "https",
  "net",
  "os",
  "perf_hooks",
  "stream",
  "tty",
  "url",
];

/** Which files of dist/ and which slow parts of Node a command of the built binary loads. */
export function loadedBy(home: string, words: readonly string[]): { files: string[]; slow: string[] } {
  const preload = path.join(ROOT, "test/fixtures/loaded-files.cjs");
  const { stderr } = spawnSync(process.execPath, ["--require", preload, IPM, ...words], {
    env: { HOME: home, PATH: "/usr/bin:/bin" },
    encoding: "utf8",
  });
  const { files, builtins } = JSON.parse(/^loaded: (.*)$/mu.exec(stderr)?.[1] ?? "{}");
  return { files, slow: SLOW.filter((name) => builtins.includes(name)) };
}
