/** S1: what every command pays before it does anything, against an empty Node program. */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { interleave } from "./interleaved.mjs";
import { heading, report } from "./report.mjs";
import { IPM, NODE, findProgram, ipm } from "./workbench.mjs";

const NAMES = Array.from({ length: 50 }, (_, index) => `tool-${String(index).padStart(2, "0")}`);

/** A home with 50 tools of a registry that was fetched: `list` remembers what the registry said of them, after the first one. */
async function homeWithTools(bench) {
  await bench.server();
  const versions = [{ version: "1.0.0", tag: "v1", commit: "1".repeat(40), tree: "2".repeat(40) }];
  const url = "https://git.example.test/tools.git";
  const folder = bench.registry(
    "fifty",
    NAMES.map((name) => ({ name, url, versions })),
  );
  const home = bench.home(bench.publish("fifty", folder));
  const profile = path.join(home.folder, "data/profiles/1");
  mkdirSync(path.join(profile, "bin"), { recursive: true });
  const installed = "2026-01-01T00:00:00.000Z";
  const entries = NAMES.map((name) => ({
    name,
    version: "1.0.0",
    entry: `${name}/1.0.0-0123456789ab`,
    method: "copy",
    trust: "verified",
    bins: [name],
    held: false,
    registry: "fifty",
    target: `fifty:${name}@1.0.0`,
    installed,
  }));
  const generation = { schema: 1, number: 1, created: installed, command: "", previous: null, restores: null, entries };
  writeFileSync(path.join(profile, "generation.json"), JSON.stringify(generation));
  symlinkSync("profiles/1", path.join(home.folder, "data/current"));
  return home;
}

const PEERS = [
  ["npm --version", "npm"],
  ["npm ls -g", "npm"],
  ["pnpm --version", "pnpm"],
  ["giget --version", "giget"],
  ["degit --help", "degit"],
  ["mise --version", "mise"],
  ["mise ls", "mise"],
  ["git --version", "git"],
  ["apt-cache show bash", "apt-cache"],
];

export async function start(bench, { quick }) {
  const home = await homeWithTools(bench);
  const empty = bench.place("empty.cjs");
  writeFileSync(empty, "");
  const peers = PEERS.filter(([, program]) => findProgram(program) !== undefined).map(([words]) => ({
    name: words,
    argv: words.split(" "),
    env: home.env,
  }));
  const samples = interleave(
    [
      { name: "node -e 0", argv: [NODE, "-e", "0"], env: home.env },
      { name: "empty file", argv: [NODE, empty], env: home.env },
      ipm("--version", home, ["--version"]),
      ipm("list", home, ["list"]),
      ipm("show", home, ["show", "lstm-demo"]),
      ipm("--help", home, ["--help"]),
      ipm("usage", home, ["instal"], { expect: 2 }),
    ],
    quick ? 15 : 60,
  );
  // Peers apart: some take as long as all of the above, and a few runs are enough to tell by how much.
  const others = interleave([{ name: "node -e 0", argv: [NODE, "-e", "0"], env: home.env }, ...peers], quick ? 3 : 10);
  const against = (...names) =>
    names
      .filter((name) => others.names.includes(name))
      .map((name) => `${name} ${others.ratio(name, "node -e 0").value.toFixed(2)}`)
      .join(", ");
  heading(
    `Start-up: ${IPM.endsWith("ipm.cjs") ? "the built ipm" : IPM}, node -e 0 takes ${samples.ms("node -e 0").toFixed(1)} ms`,
  );
  const row = (what, name, target, peer = "") =>
    report({ id: "S1", what, unit: "x node -e 0", measured: samples.ratio(name, "node -e 0"), target, peers: peer });
  report({
    id: "",
    what: "an empty .cjs file",
    unit: "x node -e 0",
    measured: samples.ratio("empty file", "node -e 0"),
  });
  row(
    "ipm --version",
    "--version",
    1.1,
    against("npm --version", "pnpm --version", "giget --version", "mise --version", "git --version"),
  );
  row("ipm list, 50 tools", "list", 1.1, against("npm ls -g", "mise ls"));
  row("ipm show NAME", "show", 1.2, against("apt-cache show bash"));
  row("ipm --help", "--help", 1.4, against("degit --help"));
  row("a usage error", "usage", 1.4);
}
