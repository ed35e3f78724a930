import { randomBytes } from "node:crypto";
import path from "node:path";
import { isIpmError } from "../core/errors.ts";
import type { Host } from "../core/host.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { NetworkAttempt } from "../sandbox/network-target.ts";
import type { Sandbox, SandboxedRun } from "../sandbox/sandbox.ts";
import { SECRET_OVERLAP, findSecrets } from "../trust/find-secrets.ts";

/** What the steps and tests of a verification did besides their work; one sentence each, safe to print. */
export interface Observations {
  /** Files that steps left in their private HOME, besides caches. */
  readonly home: Set<string>;
  /** Processes that were still running when a step or test had ended. */
  readonly processes: Set<string>;
  /** Connections that nothing in the manifest declares. */
  readonly undeclared: Set<string>;
  /** What was declared and reached, in the manifest's own words. */
  readonly reached: Set<string>;
  /** What looked like a secret in the output. */
  readonly secrets: Set<string>;
}

/** How the surroundings of a second build differ from those of the first. */
export interface Surroundings {
  readonly umask: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Those of every build but the second one of `--twice`. */
export const USUAL_SURROUNDINGS: Surroundings = { umask: "022", env: {} };
/** A time zone that needs no data of the system, 13 hours ahead; a locale that every system has. */
export const OTHER_SURROUNDINGS: Surroundings = { umask: "077", env: { TZ: "IPM-13", LANG: "C", LC_ALL: "C" } };

/** Allows nothing, by a name that can never exist (RFC 2606), and makes the sandbox record what is asked for. */
const NOTHING = "nothing.invalid";
/** More than these say nothing more. */
const MOST = 20;
const HOME_DEPTH = 4;
/**
 * What package managers and compilers keep in HOME by themselves, by the first part of the path or two of them.
 * Everything else there is a tool in the wrong place, or a change that the user would find in their own home.
 */
const CACHES = new Set(
  [
    ".cache .config .local/share .local/state .npm .npmrc .node-gyp .yarn .yarnrc .pnpm-store .bun .deno",
    ".cargo .rustup go .m2 .gradle .ivy2 .sbt .java .gem .bundle .nuget .dotnet .cabal .stack .conda .python_history",
  ].flatMap((line) => line.split(" ")),
);

/**
 * Runs the command, then says which other processes are there. Arguments: a mark that nobody can guess, the umask, the
 * command. What has just been ended may take a moment to go; bubblewrap, the forwarder and this shell are no news.
 */
const WATCH = `mark=$1; umask "$2"; shift 2
"$@"
code=$?
known=" $$ "; p=$$
while [ "$p" -gt 1 ]; do
  IFS= read -r line < "/proc/$p/stat" || break
  set -- \${line##*) }
  p=$2; known="$known$p "
done
for try in 1 2 3 4 5 6; do
  left=
  for d in /proc/[0-9]*; do
    p=\${d#/proc/}
    case "$known" in *" $p "*) continue ;; esac
    { IFS= read -r line < "$d/stat"; } 2>/dev/null || continue
    case "\${line##*) }" in Z* | X*) continue ;; esac
    name=\${line#*(}
    left="$left\${name%)*} "
  done
  [ -z "$left" ] && break
  [ "$try" = 6 ] || sleep 0.2 2>/dev/null || sleep 1
done
[ -z "$left" ] || printf '\\n%s %s\\n' "$mark" "$left" >&2
exit "$code"
`;

/** What the observer is handed. */
export interface ObserverParts {
  readonly host: Host;
  readonly sandbox: Sandbox;
  readonly surroundings: Surroundings;
  /** Words that must never be seen in any output: planted into the caller's environment. */
  readonly planted: readonly string[];
  /** Measures the disk, after each command. */
  readonly measure: () => Promise<void>;
}

export interface Observer {
  readonly sandbox: Sandbox;
  readonly seen: Observations;
  /** Say which step or test comes next. */
  at(where: string): void;
}

/** The texts of both streams as they come, looked through for secrets and for the mark of the watch. */
class Listener {
  readonly found = new Set<string>();
  /** The names of processes that were left, as the watch said them. */
  left = "";
  readonly #mark: string;
  readonly #planted: readonly string[];
  readonly #tails = { stdout: "", stderr: "" };

  constructor(mark: string, planted: readonly string[]) {
    this.#mark = mark;
    this.#planted = planted;
  }

  hear(stream: "stdout" | "stderr", chunk: Uint8Array): void {
    const text = this.#tails[stream] + Buffer.from(chunk).toString("latin1");
    for (const name of findSecrets(text)) this.found.add(`prints what looks like ${name}`);
    if (this.#planted.some((word) => text.includes(word))) this.found.add("prints a token of the caller's environment");
    const at = text.indexOf(this.#mark);
    if (at >= 0) this.left = text.slice(at + this.#mark.length).split("\n")[0] ?? "";
    this.#tails[stream] = at >= 0 ? text.slice(at) : text.slice(-Math.max(SECRET_OVERLAP, this.#mark.length));
  }
}

/**
 * A sandbox that runs what it is asked to run and notes what happened besides: files in the private HOME, processes that
 * were left, connections nobody declared, secrets in the output. It gives a step nothing that it would not have.
 */
export function createObserver({ host, sandbox, surroundings, planted, measure }: ObserverParts): Observer {
  const seen: Observations = {
    home: new Set(),
    processes: new Set(),
    undeclared: new Set(),
    reached: new Set(),
    secrets: new Set(),
  };
  let where = "a step";
  // Only bubblewrap has process ids of its own to look through; elsewhere the process group tells.
  const watches = sandbox.kind === "bubblewrap";

  const note = (into: Set<string>, what: string): void => {
    if (into.size < MOST) into.add(`${where} ${what}`);
  };

  const onAttempt = ({ host: name, port, declared, outcome, why }: NetworkAttempt): void => {
    if (declared === null) note(seen.undeclared, `asks for ${escapeUntrusted(name)}:${port}, which is not declared`);
    else if (outcome === "connected") seen.reached.add(declared);
    else if (outcome === "refused") note(seen.undeclared, `asks for ${declared} at ${escapeUntrusted(name)}: ${why}`);
  };

  const noteHome = async (home: string | undefined): Promise<void> => {
    if (home === undefined) return;
    const walk = async (folder: string, below: string, depth: number): Promise<void> => {
      for (const name of await host.files.list(folder)) {
        const relative = below === "" ? name : `${below}/${name}`;
        if (CACHES.has(relative)) continue;
        const facts = await host.files.facts(path.join(folder, name));
        if (facts?.kind === "folder" && depth < HOME_DEPTH) await walk(path.join(folder, name), relative, depth + 1);
        else if (facts !== undefined) note(seen.home, `writes ~/${escapeUntrusted(relative)}`);
      }
    };
    await walk(home, "", 0).catch((error: unknown) => {
      // A step may have taken away the right to look.
      if (!isIpmError(error)) throw error;
      note(seen.home, "leaves a HOME that cannot be read");
    });
  };

  const run = async (step: SandboxedRun, isStep: boolean): ReturnType<Sandbox["run"]> => {
    const mark = `ipm-left-${randomBytes(12).toString("hex")}`;
    const listener = new Listener(mark, planted);
    const { onOutput } = step;
    const result = await sandbox.run({
      ...step,
      env: { ...step.env, ...surroundings.env },
      argv: watches ? ["/bin/sh", "-c", WATCH, "watch", mark, surroundings.umask, ...step.argv] : step.argv,
      grants: {
        ...step.grants,
        ...(watches && step.grants.network.length === 0 ? { network: [NOTHING] } : {}),
        // What is attested must come about without anybody's credentials.
        credentials: [],
      },
      onAttempt: (attempt) => {
        onAttempt(attempt);
        step.onAttempt?.(attempt);
      },
      onOutput: (stream, chunk) => {
        listener.hear(stream, chunk);
        onOutput?.(stream, chunk);
      },
    });
    for (const what of listener.found) note(seen.secrets, what);
    const left = escapeUntrusted(listener.left.trim());
    if (left !== "" || result.leftBehind === true) {
      note(seen.processes, `leaves processes running${left === "" ? "" : `: ${left}`}`);
    }
    // A test may write where it is at home: it runs the tool as a user would.
    if (isStep) await noteHome(step.env["HOME"]);
    await measure();
    return result;
  };

  return {
    seen,
    at: (next) => (where = next),
    sandbox: {
      kind: sandbox.kind,
      probe: () => sandbox.probe(),
      run: (step) => run(step, step.env["IPM_PREFIX"] !== undefined),
    },
  };
}
