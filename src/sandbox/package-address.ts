import type { EcosystemSettings } from "./ecosystem-settings.ts";

/** The public root of Maven Central: addresses in plans begin with it, wherever this machine's mirror is. */
export const MAVEN_CENTRAL = "https://repo.maven.apache.org/maven2/";
/** The same of crates.io's files. */
export const CRATES_FILES = "https://static.crates.io/crates/";

/** True when a mirror of `settings.xml` stands for Maven Central (https://maven.apache.org/guides/mini/guide-mirror-settings.html). */
function coversCentral(mirrorOf: string): boolean {
  const words = mirrorOf.split(",").map((word) => word.trim());
  return !words.includes("!central") && words.some((word) => /^(?:\*|external:\*|central)$/u.test(word));
}

/** Where this machine gets a file of Maven Central: its first mirror of it, or the public place. */
export function mavenAddress(url: string, { mavenMirrors }: Pick<EcosystemSettings, "mavenMirrors">): string {
  const mirror = mavenMirrors.find(({ mirrorOf }) => coversCentral(mirrorOf));
  if (mirror === undefined || !url.startsWith(MAVEN_CENTRAL)) return url;
  return `${mirror.url.replace(/\/*$/u, "/")}${url.slice(MAVEN_CENTRAL.length)}`;
}

/** The folder of a crate in an index: `ri/pg/ripgrep`, `3/f/foo`. */
function prefixOf(crate: string): string {
  if (crate.length <= 3) return crate.length === 3 ? `3/${crate.slice(0, 1)}` : String(crate.length);
  return `${crate.slice(0, 2)}/${crate.slice(2, 4)}`;
}

/** Where the `config.json` of an index is (https://doc.rust-lang.org/cargo/reference/registry-index.html). */
export function crateIndexConfig(index: string): string {
  return `${index.replace(/\/*$/u, "/")}config.json`;
}

/**
 * Where a registry has the file of a crate, by the `dl` of its index's `config.json`.
 * @param url the crate's public address: `https://static.crates.io/crates/NAME/NAME-VERSION.crate`
 * @returns undefined when either of them cannot be read
 */
export function crateAddress(url: string, sha256: string, dl: unknown): string | undefined {
  const [name = "", file = ""] = url.slice(CRATES_FILES.length).split("/");
  const isCrate = url.startsWith(CRATES_FILES) && file.startsWith(`${name}-`) && file.endsWith(".crate");
  if (!isCrate || typeof dl !== "string") return undefined;
  const values: Readonly<Record<string, string>> = {
    crate: name,
    version: file.slice(name.length + 1, -".crate".length),
    prefix: prefixOf(name),
    lowerprefix: prefixOf(name).toLowerCase(),
    "sha256-checksum": sha256,
  };
  const template = /\{[a-z0-9-]+\}/u.test(dl) ? dl : `${dl.replace(/\/*$/u, "")}/{crate}/{version}/download`;
  const address = template.replaceAll(/\{([a-z0-9-]+)\}/gu, (whole, key: string) => values[key] ?? whole);
  return URL.canParse(address) ? address : undefined;
}
