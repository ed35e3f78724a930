import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import path from "node:path";

/** One version of a package: its package.json besides name and version, and its files. */
export interface PublishedVersion {
  readonly name: string;
  readonly version: string;
  readonly manifest?: Readonly<Record<string, unknown>>;
  readonly files?: Readonly<Record<string, string>>;
}

/** A registry of npm on this machine, with what was published to it. It ends with `close`. */
export interface NpmRegistry {
  /** `http://127.0.0.2:PORT/`: not 127.0.0.1, which is the step itself behind its proxy. */
  readonly url: string;
  publish(version: PublishedVersion): void;
  /** Take a version out, as an author may. */
  withdraw(name: string, version: string): void;
  /** Hand out other bytes for a version under the name of the right ones. */
  tamper(name: string, version: string): void;
  close(): void;
}

interface Stored {
  readonly manifest: Readonly<Record<string, unknown>>;
  tarball: Buffer;
}

function pack(folder: string, { name, version, manifest, files = {} }: PublishedVersion): Buffer {
  const root = path.join(folder, `${name.replaceAll("/", "-")}-${version}`, "package");
  const all = { "package.json": JSON.stringify({ name, version, ...manifest }), ...files };
  for (const [file, text] of Object.entries(all)) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
    chmodSync(path.join(root, file), 0o644);
  }
  const tarball = path.join(root, "..", "package.tgz");
  const packed = spawnSync("tar", ["-czf", tarball, "-C", path.join(root, ".."), "package"]);
  if (packed.status !== 0) throw new Error(String(packed.stderr));
  return readFileSync(tarball);
}

/** @param folder for what is packed */
export async function startNpmRegistry(folder: string): Promise<NpmRegistry> {
  const packages = new Map<string, Map<string, Stored>>();
  const server = http.createServer((request, response) => {
    const [name = "", file] = decodeURIComponent((request.url ?? "").slice(1)).split("/-/");
    const versions = packages.get(name);
    const stored = versions?.get(file?.replace(/\.tgz$/u, "") ?? "");
    if (versions === undefined || (file !== undefined && stored === undefined)) {
      response.writeHead(404, { "content-type": "application/json" }).end('{"error":"not found"}');
    } else if (stored === undefined) {
      const known = [...versions].map(([version, { manifest }]) => [version, manifest]);
      const body = { name, "dist-tags": { latest: known.at(-1)?.[0] }, versions: Object.fromEntries(known) };
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
    } else response.writeHead(200, { "content-type": "application/octet-stream" }).end(stored.tarball);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.2", resolve);
  });
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("not listening");
  const url = `http://127.0.0.2:${address.port}/`;
  return {
    url,
    publish: (published) => {
      const { name, version } = published;
      const tarball = pack(folder, published);
      const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
      const dist = { tarball: `${url}${name}/-/${version}.tgz`, integrity };
      const versions = packages.get(name) ?? new Map<string, Stored>();
      versions.set(version, { manifest: { name, version, ...published.manifest, dist }, tarball });
      packages.set(name, versions);
    },
    withdraw: (name, version) => void packages.get(name)?.delete(version),
    tamper: (name, version) => {
      const stored = packages.get(name)?.get(version);
      if (stored !== undefined) stored.tarball = pack(folder, { name, version, files: { "evil.js": "" } });
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
