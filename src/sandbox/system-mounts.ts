import type { Files } from "../core/host.ts";
import type { SystemMount } from "./bubblewrap-arguments.ts";
import { isInside } from "./paths.ts";
import { SYSTEM_FOLDERS } from "./toolchain.ts";

/**
 * What programs commonly read of /etc. An allow-list, because as root the sandbox could read what only root may
 * (/etc/shadow, the keys in /etc/ssl/private): the permission bits of the owner count for it.
 */
const ETC = [
  "alternatives",
  "crypto-policies",
  "debian_version",
  "fonts",
  "ld.so.cache",
  "ld.so.conf",
  "ld.so.conf.d",
  "localtime",
  "lsb-release",
  "mime.types",
  "nsswitch.conf",
  "os-release",
  "perl",
  "pki/ca-trust",
  "pki/java",
  "pki/tls/cert.pem",
  "pki/tls/certs",
  "pki/tls/openssl.cnf",
  "protocols",
  "python3",
  "redhat-release",
  "services",
  "ssl/cert.pem",
  "ssl/certs",
  "ssl/openssl.cnf",
];
/** Versioned names: Debian keeps the configuration of every Java there. */
const ETC_PATTERN = /^(?:java|java-[0-9].*|maven|python3\.[0-9]+)$/u;
/** Files of /etc that are made for the sandbox: the users and neighbours of this machine are nobody's business. */
export function accountFiles(id: number, home: string): { readonly at: string; readonly content: string }[] {
  const passwd = [
    `ipm:x:${id}:${id}:ipm:${home}:/bin/sh`,
    "root:x:0:0:root:/root:/bin/sh",
    "nobody:x:65534:65534:nobody:/nonexistent:/bin/false",
  ];
  const group = [`ipm:x:${id}:`, "root:x:0:", "nogroup:x:65534:"];
  return [
    { at: "/etc/passwd", content: `${passwd.join("\n")}\n` },
    { at: "/etc/group", content: `${group.join("\n")}\n` },
    { at: "/etc/hosts", content: "127.0.0.1 localhost ipm-sandbox\n::1 localhost\n" },
  ];
}

/** Files of the system's folders that hold tokens of whoever set this machine up: shown empty. */
const HIDDEN = ["/usr/etc/npmrc", "/usr/local/etc/npmrc"];

const WORLD_READABLE = 0o004;

/**
 * The system's folders and the files of /etc that every sandbox shows: folders as they are, merged ones (`/bin` ->
 * `usr/bin`) as the same link, files by their real path, and only what everybody may read.
 */
export async function findSystemMounts(files: Files): Promise<SystemMount[]> {
  const mounts: SystemMount[] = [];
  for (const folder of SYSTEM_FOLDERS) {
    const target = await files.readLink(folder);
    if (target !== undefined) mounts.push({ kind: "link", target, at: folder });
    else if ((await files.facts(folder))?.kind === "folder") mounts.push({ kind: "bind", from: folder, at: folder });
  }
  for (const at of HIDDEN) {
    const real = await files.realPath(at);
    // Beneath a folder of the system, which no package controls; by its real place, since a link cannot be bound over.
    if (real !== undefined && SYSTEM_FOLDERS.some((folder) => isInside(folder, real))) {
      mounts.push({ kind: "empty", at: real });
    }
  }
  const versioned = (await files.list("/etc")).filter((name) => ETC_PATTERN.test(name));
  for (const name of [...ETC, ...versioned]) {
    const at = `/etc/${name}`;
    const from = await files.realPath(at);
    if (from === undefined) continue;
    if (from !== at && SYSTEM_FOLDERS.some((folder) => isInside(folder, from))) {
      // A link costs nothing; each bind costs a tenth of the time of a whole sandbox.
      mounts.push({ kind: "link", target: from, at });
      continue;
    }
    const facts = await files.facts(from);
    if (facts !== undefined && (facts.mode & WORLD_READABLE) !== 0) mounts.push({ kind: "bind", from, at });
  }
  return mounts;
}
