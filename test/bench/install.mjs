/** E1 to E3: whole installations, against a shell script that gets the same commit and runs the same step and test. */
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { interleave } from "./interleaved.mjs";
import { heading, report, skip } from "./report.mjs";
import { NODE, findProgram, ipm, shell } from "./workbench.mjs";

const DELAY_MS = 100;
const UNVERIFIED = ["--allow-unverified", "--no-sandbox"];

/** What somebody would write by hand: the pinned commit, its step, a link, its test. */
function bareScript({ url, versions: [{ commit }], name }, into) {
  return `git init -q ${into}
cd ${into}
git fetch -q --depth 1 ${url} ${commit}
git checkout -q FETCH_HEAD
sh -euc true
mkdir -p ${into}-bin
ln -sf ${into}/bin/${name} ${into}-bin/${name}
[ "$(${into}-bin/${name})" = ok ]`;
}

/** Files like those of a real repository: 11 KB each, of which git transfers a quarter; and what npm wants to know. */
function fillRepository(folder, count) {
  const repeated = "the same words again and again, as code has them\n".repeat(170);
  for (let index = 1; index < count; index++) {
    const file = path.join(folder, "lib", `f${index}.txt`);
    writeFileSync(file, `${randomBytes(1900).toString("base64")}\n${index}\n${repeated}`);
  }
  const name = `files-${count}`;
  writeFileSync(
    path.join(folder, "package.json"),
    JSON.stringify({ name, version: "1.0.0", bin: { [name]: `bin/${name}` } }),
  );
}

function oneTool(bench, count, rounds) {
  const tool = bench.repository(`files-${count}`, count, (folder) => fillRepository(folder, count));
  const home = bench.home(bench.registry(`r${count}`, [tool]));
  const into = bench.place(`bare-${count}`);
  const clear = () => {
    for (const folder of [into, `${into}-bin`]) rmSync(folder, { recursive: true, force: true });
  };
  const bare = shell("bare", bareScript(tool, into), home.env, { before: clear });
  const empty = { name: "node -e 0", argv: [NODE, "-e", "0"], env: home.env };
  const cold = interleave(
    [
      empty,
      bare,
      ipm("install", home, ["install", tool.name, ...UNVERIFIED], { before: home.fresh }),
      ipm("sandboxed", home, ["install", tool.name, "--allow-unverified"], { before: home.fresh }),
    ],
    rounds,
  );
  heading(
    `Installing ${count} files, one step that does nothing, one test; the bare script takes ${cold.ms("bare").toFixed(0)} ms`,
  );
  report({
    id: "E1",
    what: `ipm install, ${count} files, no sandbox`,
    unit: "x bare script",
    measured: cold.ratio("install", "bare"),
    target: count < 1000 ? 1.6 : 1.1,
  });
  // Two things run in the sandbox: the step and the test.
  report({
    id: "E1",
    what: "the sandbox, a step or test",
    unit: "ms",
    measured: cold.difference("sandboxed", "install", 2),
    target: 15,
  });
  const again = interleave(
    [
      empty,
      bare,
      ipm("kept", home, ["install", tool.name, ...UNVERIFIED], { before: () => home.run("uninstall", tool.name) }),
      ipm("rollback", home, ["rollback"], { before: () => home.run("uninstall", tool.name) }),
      ipm("nothing to do", home, ["install", tool.name], {
        before: () => home.run("install", tool.name, ...UNVERIFIED),
      }),
    ],
    Math.ceil(rounds / 2),
  );
  const target = count < 1000 ? undefined : 0.1;
  report({
    id: "E2",
    what: `a version that was kept, ${count} files`,
    unit: "x bare script",
    measured: again.ratio("kept", "bare"),
    target,
  });
  report({
    id: "E2",
    what: `ipm rollback, ${count} files`,
    unit: "x bare script",
    measured: again.ratio("rollback", "bare"),
    target,
  });
  report({
    id: "E2",
    what: "installed already",
    unit: "x node -e 0",
    measured: again.ratio("nothing to do", "node -e 0"),
    target: 1.2,
  });
  return { tool, cold };
}

/** Package managers that can install a repository: the same tool, with a package.json, from the same server. */
function peers(bench, { tool, cold }) {
  if (findProgram("npm") === undefined) return skip("E1", "npm install -g", "npm is not installed");
  const prefix = bench.place("npm-prefix");
  const env = bench.env({ npm_config_cache: bench.place("npm-cache"), npm_config_prefix: prefix });
  const [{ commit }] = tool.versions;
  const install = ["npm", "install", "-g", "--no-audit", "--no-fund", `git+${tool.url}#${commit}`];
  const { status } = spawnSync(install[0], install.slice(1), { env, stdio: "ignore" });
  if (status !== 0) return skip("E1", "npm install -g", `it ends with ${status} for this repository`);
  const samples = interleave([{ name: "npm", argv: install, env }], 3);
  report({
    id: "",
    what: "npm install -g of the same",
    unit: "x bare script",
    measured: exact(samples.ms("npm") / cold.ms("bare")),
  });
}
const exact = (value) => ({ value, low: value, high: value });

async function eightTools(bench, rounds) {
  const server = await bench.server();
  const tools = Array.from({ length: 8 }, (_, index) => bench.repository(`eight-${index}`, 43));
  const home = bench.home(bench.registry("eight", tools));
  const names = tools.map(({ name }) => name);
  const oneByOne = names.map((name) => `"$0" "$1" install ${name} ${UNVERIFIED.join(" ")}`).join("\n");
  const script = shell("one by one", oneByOne, home.env, { before: home.fresh });
  const together = ipm("together", home, ["install", ...names, ...UNVERIFIED, "--jobs", "8"], { before: home.fresh });
  await server.count(DELAY_MS);
  const samples = interleave([{ ...script, argv: [...script.argv, ...together.argv.slice(0, 2)] }, together], rounds);
  await server.count(0);
  heading(
    `Eight tools, ${DELAY_MS} ms before every answer of the server; one by one they take ${samples.ms("one by one").toFixed(0)} ms`,
  );
  report({
    id: "E3",
    what: "eight tools at once",
    unit: "x one by one",
    measured: samples.ratio("together", "one by one"),
    target: 0.3,
  });
}

export async function install(bench, { quick }) {
  await bench.server();
  const small = oneTool(bench, 43, quick ? 5 : 20);
  peers(bench, small);
  oneTool(bench, 3000, quick ? 3 : 10);
  await eightTools(bench, quick ? 1 : 3);
}
