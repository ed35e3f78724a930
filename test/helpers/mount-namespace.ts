import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

const ROOT = process.getuid?.() === 0;
/** Without root a user namespace gives the right to mount. */
const UNSHARE = ROOT ? ["unshare", "-m"] : ["unshare", "-Urm"];

/** True where a private mount namespace with a tmpfs can be had. */
export function canMount(): boolean {
  const [program = "", ...args] = UNSHARE;
  return spawnSync(program, [...args, "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "/mnt"]).status === 0;
}

/** A mount namespace that lives until it is ended; nothing mounted in it is seen outside. */
export class MountNamespace {
  readonly #holder: ChildProcess;
  /** Words before a program that is to run inside. */
  readonly enter: readonly string[];

  private constructor(holder: ChildProcess) {
    this.#holder = holder;
    const target = ["nsenter", "--target", String(holder.pid), "--mount"];
    this.enter = ROOT ? [...target, "--"] : [...target, "--user", "--preserve-credentials", "--"];
  }

  static async open(): Promise<MountNamespace> {
    const [program = "", ...args] = UNSHARE;
    // exec keeps the process that is waited for the one that holds the namespace.
    const holder = spawn(program, [...args, "sh", "-c", "echo ready; exec cat"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    await once(holder.stdout, "data");
    return new MountNamespace(holder);
  }

  run(...words: readonly string[]): void {
    const [program = "", ...args] = [...this.enter, ...words];
    const result = spawnSync(program, args, { encoding: "utf8" });
    if (result.status !== 0) throw new Error(`${words.join(" ")}: ${result.stderr}`);
  }

  /** Mount a new, empty tmpfs over a folder, instead of the one before. */
  mountTmpfs(folder: string, options: string): void {
    const [program = "", ...args] = this.enter;
    spawnSync(program, [...args, "umount", folder]);
    this.run("mount", "-t", "tmpfs", "-o", `mode=0755,${options}`, "tmpfs", folder);
  }

  end(): void {
    this.#holder.kill("SIGKILL");
  }
}
