import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { constants } from "node:os";
import path from "node:path";
import { IpmError, errnoOf } from "../core/errors.ts";
import type { FileFacts, Files, PositionedFile } from "../core/host.ts";

const DISK_FULL = new Set(["ENOSPC", "EDQUOT"]);

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: "no space left on the device",
  EDQUOT: "the disk quota is used up",
  EACCES: "permission denied",
  EPERM: "not permitted",
  EROFS: "the file system is read-only",
  EIO: "input/output error",
  EMFILE: "too many open files in this process",
  ENFILE: "too many open files on this machine",
  ENOENT: "a folder of this path does not exist",
  ENOTDIR: "a part of the path is not a folder",
  EISDIR: "it is a folder",
  ELOOP: "too many links",
  ENAMETOOLONG: "the name is too long",
  ENOTEMPTY: "the folder is not empty",
  EEXIST: "it exists already",
  EXDEV: "it is on another file system",
  UNKNOWN: "an error that Node has no name for, such as a used-up quota",
};

/** The name of a system error. Node knows none for some of them (EDQUOT): then by its number. */
function errnoName(error: unknown): string | undefined {
  const name = errnoOf(error);
  const number = /^Unknown system error -(\d+)$/u.exec(name ?? "")?.[1];
  if (number === undefined) return name;
  return Object.entries(constants.errno).find(([, value]) => value === Number(number))?.[0] ?? `E${number}`;
}

/** Turn a system error into one of ours that names the path and the reason; anything else passes unchanged. */
export function translateIoError(error: unknown, action: string, file: string): unknown {
  const errno = errnoName(error);
  if (errno === undefined || error instanceof IpmError || !/^(?:E[A-Z0-9]+|UNKNOWN)$/u.test(errno)) return error;
  const code = DISK_FULL.has(errno) ? "DISK_FULL" : "IO_FAILED";
  return new IpmError(code, `cannot ${action} ${file}: ${REASONS[errno] ?? errno} (${errno})`, {
    hint:
      code === "DISK_FULL"
        ? "free some space (ipm gc gives back what ipm no longer needs), then run the command again"
        : "ipm doctor",
    data: { path: file, errno },
    cause: error,
  });
}

function isMissing(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === "ENOENT" || errno === "ENOTDIR";
}

/** Run a file operation; failures name the path. Synchronous calls: a promise a call costs more than the call. */
function attempt<T>(action: string, file: string, operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    throw translateIoError(error, action, file);
  }
}

function attemptOptional<T>(action: string, file: string, operation: () => T): T | undefined {
  try {
    return operation();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw translateIoError(error, action, file);
  }
}

function kindOf(stats: fs.Stats): FileFacts["kind"] {
  if (stats.isSymbolicLink()) return "link";
  if (stats.isDirectory()) return "folder";
  return stats.isFile() ? "file" : "other";
}

function writeFlushed(file: string, content: string | Uint8Array, mode: number): void {
  const descriptor = fs.openSync(file, "wx", mode);
  try {
    fs.writeFileSync(descriptor, content);
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

function flushPath(target: string): void {
  const descriptor = fs.openSync(target, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Give the owner access to a folder, so that what a build left read-only can be listed and removed. */
function unlockFolder(folder: Buffer): void {
  const stats = fs.lstatSync(folder);
  if (stats.isDirectory() && (stats.mode & 0o700) !== 0o700) fs.chmodSync(folder, stats.mode | 0o700);
}

/** mkdir -p. Not by Node's own: that one reports a folder that could not be made for a full disk as a missing one. */
function makeFolder(folder: string): void {
  try {
    fs.mkdirSync(folder, { mode: 0o755 });
  } catch (error) {
    if (fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return;
    const parent = path.dirname(folder);
    if (errnoOf(error) !== "ENOENT" || parent === folder) throw error;
    makeFolder(parent);
    // Somebody else may have made it in between; a parent that went away again is a failure.
    try {
      fs.mkdirSync(folder, { mode: 0o755 });
    } catch (again) {
      if (fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) throw again;
    }
  }
}

const SEPARATOR = Buffer.from(path.sep);

/** By bytes: a build may leave names that are no UTF-8, and those must go as well. */
function removeTree(target: Buffer): void {
  const stats = fs.lstatSync(target, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isDirectory()) {
    fs.unlinkSync(target);
    return;
  }
  unlockFolder(target);
  for (const name of fs.readdirSync(target, { encoding: "buffer" }))
    removeTree(Buffer.concat([target, SEPARATOR, name]));
  fs.rmdirSync(target);
}

function positioned(file: string, descriptor: number): PositionedFile {
  return {
    size: attempt("look at", file, () => fs.fstatSync(descriptor).size),
    read: (position, length) =>
      attempt("read", file, () => {
        const buffer = Buffer.allocUnsafeSlow(length);
        // As bin/ipm.cjs reads: the first call of another function of Node's would take longer than the read.
        return buffer.subarray(0, fs.readvSync(descriptor, [buffer], position));
      }),
    close: () => fs.closeSync(descriptor),
  };
}

/** What files are read into to be hashed, made once: for small files making it would take longer than the rest. */
let hashed: Buffer | undefined;

function hashFile(file: string): string {
  const hash = createHash("sha256");
  const piece = (hashed ??= Buffer.allocUnsafeSlow(1 << 20));
  const descriptor = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  try {
    for (let read = fs.readSync(descriptor, piece); read > 0; read = fs.readSync(descriptor, piece)) {
      hash.update(piece.subarray(0, read));
    }
  } finally {
    fs.closeSync(descriptor);
  }
  return hash.digest("hex");
}

/** syncfs(2) by coreutils: one call for a whole tree instead of one fsync a file. False where that cannot be had. */
function flushFileSystemOf(folder: string): boolean {
  if (process.platform !== "linux") return false;
  const result = spawnSync("/usr/bin/sync", ["--file-system", "--", folder], { env: {}, stdio: "ignore" });
  return result.status === 0;
}

/** Files and folders below a folder, the deepest first, the folder itself last; links need no flush of their own. */
function* flushable(folder: string): Generator<string> {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const target = `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* flushable(target);
    else if (entry.isFile()) yield target;
  }
  yield folder;
}

/** Above this many, one syncfs is cheaper than an fsync each, although it also flushes what others have written. */
const FSYNC_EACH = 64;

function flushTree(folder: string): void {
  const targets = [...flushable(folder)];
  if (targets.length > FSYNC_EACH && flushFileSystemOf(folder)) return;
  for (const target of targets) flushPath(target);
}

/** The real file system behind the `Files` port. */
export function createFiles(): Files {
  return {
    readText: async (file) => attemptOptional("read", file, () => fs.readFileSync(file, "utf8")),
    readBytes: async (file) => attemptOptional("read", file, () => fs.readFileSync(file)),
    openForReading: (file) => {
      const descriptor = attemptOptional("open", file, () => fs.openSync(file, "r"));
      return descriptor === undefined ? undefined : positioned(file, descriptor);
    },
    facts: async (file) =>
      attemptOptional("look at", file, () => {
        // Asked not to throw: an error costs ten times as much as the call, and most of what is asked for may be missing.
        const stats = fs.lstatSync(file, { throwIfNoEntry: false });
        if (stats === undefined) return undefined;
        return {
          kind: kindOf(stats),
          size: stats.size,
          mode: stats.mode & 0o7777,
          uid: stats.uid,
          links: stats.nlink,
          modifiedMs: stats.mtimeMs,
          changedMs: stats.ctimeMs,
        };
      }),
    // Looked at first: a folder that is not there is common, and the error would take longer than everything else here.
    list: async (folder) =>
      attemptOptional("list", folder, () =>
        fs.lstatSync(folder, { throwIfNoEntry: false }) === undefined ? [] : fs.readdirSync(folder).toSorted(),
      ) ?? [],
    readLink: async (file) => {
      try {
        return fs.readlinkSync(file);
      } catch (error) {
        // EINVAL: it exists and is not a link.
        if (isMissing(error) || errnoOf(error) === "EINVAL") return undefined;
        throw translateIoError(error, "read the link", file);
      }
    },
    // Not fs.realpathSync: that one resolves `..` after links lexically and can call a link harmless that leaves.
    realPath: async (file) => attemptOptional("resolve", file, () => fs.realpathSync.native(file)),
    createFolder: async (folder) => {
      attempt("create", folder, () => makeFolder(folder));
    },
    write: async (file, content, mode = 0o644) =>
      attempt("write", file, () => fs.writeFileSync(file, content, { mode })),
    writeDurably: async (file, content, mode = 0o644) => {
      const staged = path.join(path.dirname(file), `.${path.basename(file)}.${randomBytes(6).toString("hex")}.tmp`);
      attempt("write", file, () => {
        try {
          writeFlushed(staged, content, mode);
          fs.renameSync(staged, file);
        } catch (error) {
          fs.rmSync(staged, { force: true });
          throw error;
        }
        flushPath(path.dirname(file));
      });
    },
    copyFile: async (from, to) =>
      attempt("copy to", to, () =>
        fs.copyFileSync(from, to, fs.constants.COPYFILE_EXCL | fs.constants.COPYFILE_FICLONE),
      ),
    append: async (file, content) => attempt("write", file, () => fs.appendFileSync(file, content)),
    link: async (target, file) => attempt("link", file, () => fs.symlinkSync(target, file)),
    rename: async (from, to) => attempt("rename", from, () => fs.renameSync(from, to)),
    setMode: async (file, mode) => attempt("change the mode of", file, () => fs.chmodSync(file, mode)),
    remove: async (target) => {
      try {
        removeTree(Buffer.from(target));
      } catch (error) {
        if (!isMissing(error)) throw translateIoError(error, "remove", target);
      }
    },
    sha256: async (file) => attempt("read", file, () => hashFile(file)),
    flushFolder: async (folder) => attempt("flush", folder, () => flushPath(folder)),
    flushTree: async (folder) => {
      try {
        flushTree(folder);
      } catch (error) {
        throw translateIoError(error, "flush", folder);
      }
    },
    openForLock: async (file) =>
      attempt("open", file, () => fs.openSync(file, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o644)),
    openFolder: async (folder) =>
      attempt("open", folder, () => fs.openSync(folder, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)),
    close: async (descriptor) => attempt("close", `descriptor ${descriptor}`, () => fs.closeSync(descriptor)),
  };
}
