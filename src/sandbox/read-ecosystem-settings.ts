import path from "node:path";
import type { Host } from "../core/host.ts";
import type { EcosystemSources } from "./ecosystem-settings.ts";

const MAX_FILE_BYTES = 1024 * 1024;

/**
 * Read the configuration of this machine's npm, pip, cargo, go and maven. Files that cannot be read do not count.
 * @param withCredentials read the files too that hold nothing else
 */
export async function readEcosystemSources(
  host: Pick<Host, "files" | "facts">,
  withCredentials: boolean,
): Promise<EcosystemSources> {
  const { env } = host.facts;
  const home = env["HOME"] ?? "/nonexistent";
  const config = env["XDG_CONFIG_HOME"] ?? path.join(home, ".config");
  const read = async (file: string | undefined): Promise<string> => {
    if (file === undefined || !path.isAbsolute(file)) return "";
    try {
      const facts = await host.files.facts((await host.files.realPath(file)) ?? file);
      if (facts?.kind !== "file" || facts.size > MAX_FILE_BYTES) return "";
      return (await host.files.readText(file)) ?? "";
    } catch {
      return "";
    }
  };
  const readAll = async (files: readonly (string | undefined)[]): Promise<string[]> => Promise.all(files.map(read));
  const cargoHome = env["CARGO_HOME"] ?? path.join(home, ".cargo");
  const cargo = await readAll([path.join(cargoHome, "config.toml"), path.join(cargoHome, "config")]);
  const credentials = withCredentials
    ? await readAll([
        path.join(cargoHome, "credentials.toml"),
        path.join(cargoHome, "credentials"),
        env["NETRC"] ?? path.join(home, ".netrc"),
      ])
    : [];
  return {
    env,
    npmrc: await readAll([
      env["npm_config_userconfig"] ?? env["NPM_CONFIG_USERCONFIG"] ?? path.join(home, ".npmrc"),
      env["npm_config_globalconfig"] ?? env["NPM_CONFIG_GLOBALCONFIG"],
      // npm's own global file is etc/npmrc of its prefix: /usr/local for most, /usr where a distribution packages it.
      "/usr/local/etc/npmrc",
      "/usr/etc/npmrc",
      "/etc/npmrc",
    ]),
    pip: await readAll([
      env["PIP_CONFIG_FILE"],
      path.join(config, "pip/pip.conf"),
      path.join(home, ".pip/pip.conf"),
      "/etc/xdg/pip/pip.conf",
      "/etc/pip.conf",
    ]),
    cargo: cargo.find((text) => text !== "") ?? "",
    go: await read(env["GOENV"] ?? path.join(config, "go/env")),
    // The user's mirrors come first, as they do for Maven.
    maven: (await readAll([path.join(home, ".m2/settings.xml"), "/etc/maven/settings.xml"])).join("\n"),
    cargoCredentials: credentials[0] || credentials[1] || "",
    netrc: credentials[2] ?? "",
  };
}
