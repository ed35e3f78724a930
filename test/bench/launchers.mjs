/** L1: what the launcher of an installed tool adds to the program behind it. */
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { interleave } from "./interleaved.mjs";
import { heading, report, skip } from "./report.mjs";
import { findProgram, shell } from "./workbench.mjs";

const CALLS = 200;

/** A program that does nothing, without a dynamic linker where there is a compiler. */
function makeTarget(bench) {
  const program = bench.place("nothing");
  writeFileSync(`${program}.c`, "int main(void) { return 0; }\n");
  const compiled = spawnSync("cc", ["-O2", "-static", "-o", program, `${program}.c`], { stdio: "ignore" });
  if (compiled.status !== 0) copyFileSync("/bin/true", program);
  chmodSync(program, 0o755);
  return program;
}

export function launchers(bench, { quick }) {
  heading(`Launchers: ${CALLS} calls from a shell, a program that does nothing`);
  const program = makeTarget(bench);
  const folder = bench.place("nothing-tool");
  mkdirSync(path.join(folder, "bin"), { recursive: true });
  copyFileSync(program, path.join(folder, "bin/nothing"));
  writeFileSync(
    path.join(folder, "ipm.yaml"),
    "schema: ipm/v1\nname: nothing\nsummary: Does nothing\nlicense: MIT\nsteps: [uses: copy]\n" +
      'bin: { nothing: bin/nothing, nothing-env: { run: [bin/nothing], env: { NOTHING: "{prefix}/etc" } } }\n' +
      "tests: [{ run: nothing, expect: { exit: 0 } }]\n",
  );
  const home = bench.home(bench.registry("empty", []));
  home.run("install", folder, "--allow-unverified", "--no-sandbox");
  const bin = path.join(home.folder, "data/current/bin");
  const calls = (file) => `i=0; while [ $i -lt ${CALLS} ]; do ${file}; i=$((i+1)); done`;
  const contenders = [
    shell("program", calls(program), home.env),
    shell("link", calls(path.join(bin, "nothing")), home.env),
    shell("script", calls(path.join(bin, "nothing-env")), home.env),
  ];
  const mise = findProgram("mise");
  const samples = interleave(contenders, quick ? 5 : 20);
  const row = (what, name, target) =>
    report({
      id: "L1",
      what,
      unit: "ms over the program",
      measured: samples.difference(name, "program", CALLS),
      target,
    });
  row("a launcher that needs no environment", "link", 0.05);
  row("a launcher with an environment", "script", 0.75);
  if (mise === undefined) skip("L1", "mise shim", "mise is not installed");
}
