import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type CommitSha, type TreeSha, isCommitSha, isTreeSha } from "../../src/core/ids.ts";

/** Content of a file, or what it is when it is no plain one. */
export type FileSpec = string | Uint8Array | { readonly run: string } | { readonly link: string } | null;

/** One entry of a tree that no work tree could hold. */
export interface RawEntry {
  readonly mode: string;
  readonly name: string | Uint8Array;
  readonly oid: string;
}

const FIXED_DATE = "1700000000 +0000";

/** A git that sees nothing of the machine's settings, with fixed names and dates: the same input gives the same ids. */
export function runGit(cwd: string, args: readonly string[], input?: string | Uint8Array): Buffer {
  const result = spawnSync("git", ["-c", "core.autocrlf=false", ...args], {
    cwd,
    input,
    maxBuffer: 1024 ** 3,
    env: {
      PATH: process.env["PATH"],
      HOME: "/dev/null",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_AUTHOR_NAME: "Test",
      GIT_AUTHOR_EMAIL: "test@example.org",
      GIT_AUTHOR_DATE: FIXED_DATE,
      GIT_COMMITTER_NAME: "Test",
      GIT_COMMITTER_EMAIL: "test@example.org",
      GIT_COMMITTER_DATE: FIXED_DATE,
    },
  });
  if (result.status !== 0) throw new Error(`git ${args.join(" ")}: ${result.stderr.toString()}`);
  return result.stdout;
}

/** A real repository with a work tree, made for one test. */
export class GitRepository {
  readonly folder: string;

  /** @param folder a new or empty folder */
  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
    this.git("init", "-q", "-b", "main", "--object-format=sha1", ".");
  }

  git(...args: readonly string[]): string {
    return runGit(this.folder, args).toString().trim();
  }

  /** Write files without committing them; `null` removes one. */
  write(files: Readonly<Record<string, FileSpec>>): void {
    for (const [name, spec] of Object.entries(files)) {
      const file = path.join(this.folder, name);
      rmSync(file, { recursive: true, force: true });
      if (spec === null) continue;
      mkdirSync(path.dirname(file), { recursive: true });
      if (typeof spec === "object" && "link" in spec) symlinkSync(spec.link, file);
      else if (typeof spec === "object" && "run" in spec) {
        writeFileSync(file, spec.run);
        chmodSync(file, 0o755);
      } else writeFileSync(file, spec);
    }
  }

  /** Write files and commit everything. */
  commit(files: Readonly<Record<string, FileSpec>>, message = "change"): CommitSha {
    this.write(files);
    this.git("add", "-A", "-f", ".");
    this.git("commit", "-q", "--allow-empty", "--no-gpg-sign", "-m", message);
    return this.commitOf("HEAD");
  }

  tag(name: string, options: { readonly annotated?: boolean; readonly at?: string } = {}): void {
    const how = options.annotated === true ? ["-a", "-m", name] : [];
    this.git("tag", "-f", ...how, name, options.at ?? "HEAD");
  }

  commitOf(revision: string): CommitSha {
    const id = this.git("rev-parse", `${revision}^{commit}`);
    if (!isCommitSha(id)) throw new Error(`no commit: ${id}`);
    return id;
  }

  treeOf(revision: string): TreeSha {
    const id = this.git("rev-parse", `${revision}^{tree}`);
    if (!isTreeSha(id)) throw new Error(`no tree: ${id}`);
    return id;
  }

  blob(content: string | Uint8Array): string {
    return runGit(this.folder, ["hash-object", "-w", "--stdin"], content).toString().trim();
  }

  /** A tree object with exactly these entries, however hostile. */
  rawTree(entries: readonly RawEntry[]): TreeSha {
    const parts = entries.flatMap(({ mode, name, oid }) => [
      Buffer.from(`${mode} `),
      Buffer.from(name),
      Buffer.from([0]),
      Buffer.from(oid, "hex"),
    ]);
    const args = ["hash-object", "-t", "tree", "--literally", "-w", "--stdin"];
    const id = runGit(this.folder, args, Buffer.concat(parts)).toString().trim();
    if (!isTreeSha(id)) throw new Error(`no tree: ${id}`);
    return id;
  }

  /** A commit of a tree; the branch `main` is moved to it. */
  commitTree(tree: TreeSha, message = "raw"): CommitSha {
    const id = this.git("commit-tree", tree, "-m", message);
    if (!isCommitSha(id)) throw new Error(`no commit: ${id}`);
    this.git("update-ref", "refs/heads/main", id);
    return id;
  }

  /** Write everything into a bundle that can be cloned. */
  bundle(file: string): void {
    this.git("-c", "pack.threads=1", "bundle", "create", "-q", file, "HEAD", "main", "--tags");
  }
}
