import type { Grants } from "./sandbox.ts";

/** A text as a string of the profile language (a Scheme): quotes and backslashes are escaped. */
function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/**
 * A profile for `sandbox-exec`: writes only where granted, no network, nothing of the user's home but what is granted.
 * Weaker than bubblewrap: the step shares processes, IPC and the rest of the file system's names with the user. Later
 * rules win over earlier ones. With network a step reaches ipm's proxy on one port of this machine and nothing else.
 * Paths must be real (`/private/tmp`, not `/tmp`).
 * Language: https://reverse.put.as/wp-content/uploads/2011/09/Apple-Sandbox-Guide-v1.0.pdf (Apple documents none).
 */
export function seatbeltProfile(grants: Grants, home: string | undefined, proxyPort?: number): string {
  const lines = [
    "(version 1)",
    "(deny default)",
    "(allow process-exec process-fork)",
    "(allow signal (target same-sandbox))",
  ];
  lines.push("(allow sysctl-read)", "(allow mach-lookup)", "(allow ipc-posix-sem)", "(allow file-read*)");
  if (home !== undefined) lines.push(`(deny file-read* (subpath ${quoted(home)}))`);
  for (const folder of [...grants.readable, ...grants.writable])
    lines.push(`(allow file-read* (subpath ${quoted(folder)}))`);
  // A program looks at every folder above its own: their names may be seen, their lists may not.
  lines.push("(allow file-read-metadata)");
  for (const folder of grants.writable) lines.push(`(allow file-write* (subpath ${quoted(folder)}))`);
  for (const folder of grants.protected ?? []) lines.push(`(deny file-write* (subpath ${quoted(folder)}))`);
  for (const device of ["/dev/null", "/dev/zero", "/dev/tty"])
    lines.push(`(allow file-write-data (literal ${quoted(device)}))`);
  lines.push("(deny network*)");
  if (proxyPort !== undefined) lines.push(`(allow network-outbound (remote ip "localhost:${proxyPort}"))`);
  if (grants.loopback === true) {
    // Weaker than a network of its own: other servers of this machine are in reach for as long as the test runs.
    lines.push('(allow network-bind network-inbound (local ip "localhost:*"))');
    lines.push('(allow network-outbound (remote ip "localhost:*"))');
  }
  return `${lines.join("\n")}\n`;
}
