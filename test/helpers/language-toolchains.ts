import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";

/** Where the version managers of this machine keep their toolchains: a test's HOME is another one. */
export function toolchainEnvironment(): Record<string, string> {
  const places = { RUSTUP_HOME: ".rustup", PYENV_ROOT: ".pyenv", RBENV_ROOT: ".rbenv", VOLTA_HOME: ".volta" };
  const env: Record<string, string> = {};
  for (const [name, folder] of Object.entries(places)) {
    const place = process.env[name] ?? path.join(homedir(), folder);
    if (existsSync(place)) env[name] = place;
  }
  return env;
}

const PROBES = {
  npm: [["npm", "view", "is-number@7.0.0", "version", "--fetch-retries=0"]],
  pypi: [["python3", "-m", "pip", "download", "-q", "--retries", "0", "--no-deps", "-d", ".", "colorama==0.4.6"]],
  crates: [["cargo", "fetch"]],
  go: [["go", "list", "-m", "rsc.io/quote@v1.5.2"]],
} as const;

const PROBE_TIMEOUT_MS = 8_000;
const answers = new Map<string, boolean>();

/** Whether an ecosystem's own client gets an answer from its registry, as it is configured here; asked once. */
export function reaches(ecosystem: keyof typeof PROBES): boolean {
  const known = answers.get(ecosystem);
  if (known !== undefined) return known;
  const folder = mkdtempSync(path.join(tmpdir(), "ipm-probe-"));
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
