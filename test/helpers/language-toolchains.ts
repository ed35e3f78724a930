import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";

/** Variables of version managers: the default below a home, and a file of the manager, seen from PATH's folder of it. */
const MANAGERS: readonly (readonly [string, string, string, string])[] = [
  ["RUSTUP_HOME", ".rustup", "rustup", "../../.rustup"],
  ["PYENV_ROOT", ".pyenv", "../libexec/pyenv", ".."],
  ["RBENV_ROOT", ".rbenv", "../libexec/rbenv", ".."],
  ["VOLTA_HOME", ".volta", "volta-shim", ".."],
];

/**
 * Where the version managers of this machine keep their toolchains: a test's HOME is another one, and the HOME of who
 * runs the tests may be another than that which PATH leads to.
 */
export function toolchainEnvironment(): Record<string, string> {
  const env: Record<string, string> = {};
  const folders = (process.env["PATH"] ?? "").split(":").filter((folder) => path.isAbsolute(folder));
  for (const [name, below, sign, root] of MANAGERS) {
    const onPath = folders.find((folder) => existsSync(path.join(folder, sign)));
    const places = [
      process.env[name],
      path.join(homedir(), below),
      onPath === undefined ? undefined : path.join(onPath, root),
    ];
    const place = places.find((one) => one !== undefined && existsSync(one));
    if (place !== undefined) env[name] = place;
  }
  return env;
}

/** How a program is asked for its version where `--version` is not the way. */
const VERSION_ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  go: ["version"],
  java: ["-version"],
  unzip: ["-v"],
};
const found = new Map<string, boolean>();

function runs(tool: string): boolean {
  const known = found.get(tool);
  if (known !== undefined) return known;
  // A HOME in which nothing can be made: `go version` leaves its telemetry there, in a process that goes on.
  const env = { ...toolchainEnvironment(), PATH: process.env["PATH"], HOME: "/dev/null" };
  const { status } = spawnSync(tool, VERSION_ARGUMENTS[tool] ?? ["--version"], { cwd: "/", env, timeout: 30_000 });
  found.set(tool, status === 0);
  return status === 0;
}

/**
 * True when one of these programs is not here or does not run without a HOME (a shim with no version behind it), for
 * `skipIf`; the test's name says which it needs.
 */
export function lacks(...tools: readonly string[]): boolean {
  return !tools.every(runs);
}

const PROBES = {
  npm: [["npm", "view", "is-number@7.0.0", "version", "--fetch-retries=0"]],
  pypi: [["python3", "-m", "pip", "download", "-q", "--retries", "0", "--no-deps", "-d", ".", "colorama==0.4.6"]],
  crates: [["cargo", "fetch"]],
  go: [["go", "list", "-m", "rsc.io/quote@v1.5.2"]],
  // Maven itself would fetch dozens of files of plugins before it tells.
  maven: [["curl", "-fsS", "-o", "junit.pom", "https://repo.maven.apache.org/maven2/junit/junit/4.12/junit-4.12.pom"]],
} as const;

const PROBE_TIMEOUT_MS = 8_000;
const answers = new Map<string, boolean>();

/** Whether an ecosystem's own client gets an answer from its registry, as it is configured here; asked once. */
export function reaches(ecosystem: keyof typeof PROBES): boolean {
  const known = answers.get(ecosystem);
  if (known !== undefined) return known;
  const folder = mkdtempSync(path.join(tmpdir(), "ipm-test-probe-"));
  try {
    mkdirSync(path.join(folder, "src"));
    writeFileSync(path.join(folder, "src/lib.rs"), "");
    writeFileSync(
      path.join(folder, "Cargo.toml"),
      '[package]\nname = "probe"\nversion = "0.0.0"\n[dependencies]\nitoa = "=1.0.11"\n',
    );
    writeFileSync(path.join(folder, "go.mod"), "module example.org/probe\n");
    const reached = PROBES[ecosystem].every(([program, ...args]) => {
      const env = {
        ...process.env,
        ...toolchainEnvironment(),
        GOFLAGS: "-mod=mod",
        GOMODCACHE: path.join(folder, "modules"),
        CARGO_NET_RETRY: "0",
      };
      return spawnSync(program, args, { cwd: folder, env, timeout: PROBE_TIMEOUT_MS }).status === 0;
    });
    answers.set(ecosystem, reached);
    return reached;
  } finally {
    spawnSync("chmod", ["-R", "u+w", folder]);
    rmSync(folder, { recursive: true, force: true });
  }
}
