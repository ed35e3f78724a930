import * as fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Host } from "../../../src/core/host.ts";
import { createSandbox } from "../../../src/sandbox/create-sandbox.ts";
import { type Toolchain, resolveToolchain } from "../../../src/sandbox/toolchain.ts";
import { type ExecutionFixture, createExecutionFixture } from "../../helpers/execution-fixture.ts";

let fixture: ExecutionFixture;
let home: string;
beforeEach(() => {
  fixture = createExecutionFixture();
  home = path.join(fixture.folder, "caller");
});
afterEach(() => fixture.remove());

/** Files below the home: a text is a script, `-> x` a link. */
function make(files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(home, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    if (content.startsWith("-> ")) fs.symlinkSync(content.slice(3), file);
    else fs.writeFileSync(file, content, { mode: 0o755 });
  }
}

function resolve(name: string, env: Record<string, string> = {}): Promise<Toolchain> {
  const { host } = fixture;
  const known: Host = { ...host, facts: { ...host.facts, env: { ...host.facts.env, ...env } } };
  return resolveToolchain(known, path.join(home, name));
}

const inHome = (...names: string[]): string[] => names.map((name) => path.join(home, name));
const TOOL = "#!/bin/sh\necho tool\n";

describe("resolveToolchain", () => {
  test("a program of the system needs nothing more", async () => {
    expect(await resolveToolchain(fixture.host, "/usr/bin/env")).toEqual({
      program: "/usr/bin/env",
      bin: "/usr/bin",
      readable: [],
    });
  });

  test("rustup: the proxy under the tool's name leads to the toolchain, and nothing of ~/.cargo is shown", async () => {
    make({
      ".cargo/bin/rustup": `#!/bin/sh\n[ "$1" = which ] && [ "$RUSTUP_TOOLCHAIN" = nightly ] && echo "$HOME/.rustup/toolchains/nightly/bin/$2"\n`,
      ".cargo/bin/cargo": "-> rustup",
      ".cargo/credentials.toml": "token",
      ".rustup/toolchains/nightly/bin/cargo": TOOL,
    });
    const [program, bin, root] = inHome(
      ".rustup/toolchains/nightly/bin/cargo",
      ".rustup/toolchains/nightly/bin",
      ".rustup/toolchains/nightly",
    );
    expect(await resolve(".cargo/bin/cargo", { RUSTUP_TOOLCHAIN: "nightly" })).toEqual({
      program,
      bin,
      readable: [root],
    });
  });

  test.each(["pyenv", "rbenv", "nodenv", "asdf"])("%s: the script in shims leads to the version", async (manager) => {
    make({
      [`.${manager}/libexec/${manager}`]: `#!/bin/sh\n[ "$1" = which ] && echo "$HOME/.${manager}/versions/3.12/bin/$2"\n`,
      [`.${manager}/versions/3.12/bin/tool`]: TOOL,
    });
    make({
      [`.${manager}/shims/tool`]: `#!/usr/bin/env bash\nset -e\nprogram="\${0##*/}"\nexec "${home}/.${manager}/libexec/${manager}" exec "$program" "$@"\n`,
    });
    const [program, bin, root] = inHome(
      `.${manager}/versions/3.12/bin/tool`,
      `.${manager}/versions/3.12/bin`,
      `.${manager}/versions/3.12`,
    );
    expect(await resolve(`.${manager}/shims/tool`)).toEqual({ program, bin, readable: [root] });
  });

  test("mise: the link to its own program leads to the installation", async () => {
    make({
      ".local/bin/mise": `#!/bin/sh\necho "$HOME/.local/share/mise/installs/node/20/bin/$2"\n`,
      ".local/share/mise/shims/node": `-> ../../../bin/mise`,
      ".local/share/mise/installs/node/20/bin/node": TOOL,
    });
    const [root] = inHome(".local/share/mise/installs/node/20");
    expect(await resolve(".local/share/mise/shims/node")).toMatchObject({ readable: [root] });
  });

  test("nvm: npm keeps its name, and its version's folder is shown", async () => {
    make({
      ".nvm/versions/node/v20/bin/npm": "-> ../lib/node_modules/npm/bin/npm-cli.js",
      ".nvm/versions/node/v20/lib/node_modules/npm/bin/npm-cli.js": TOOL,
    });
    const [program, bin, root] = inHome(
      ".nvm/versions/node/v20/bin/npm",
      ".nvm/versions/node/v20/bin",
      ".nvm/versions/node/v20",
    );
    expect(await resolve(".nvm/versions/node/v20/bin/npm")).toEqual({ program, bin, readable: [root] });
  });

  test.each(["bin/tool", ".local/bin/tool", ".cargo/bin/tool", "go/bin/tool"])(
    "C48: of ~/%s only the file is shown, never the folder above",
    async (name) => {
      make({ [name]: TOOL });
      expect((await resolve(name)).readable).toEqual(inHome(name));
    },
  );

  test("an active virtual environment leads to the interpreter that it links to", async () => {
    make({ "venv/bin/env": "-> /usr/bin/env" });
    expect(await resolve("venv/bin/env")).toEqual({ program: "/usr/bin/env", bin: "/usr/bin", readable: [] });
  });

  describe("PATH leads to the shims of another home than HOME", () => {
    const elsewhere = (name: string): string => path.join(home, "other", name);
    const empty = (): string => {
      const folder = path.join(fixture.folder, "empty");
      fs.mkdirSync(folder);
      return folder;
    };

    test("rustup is told the home beside its own, and the caller's stays as it is", async () => {
      make({
        "other/.cargo/bin/rustup": `#!/bin/sh\nmkdir -p "$RUSTUP_HOME" && echo "$RUSTUP_HOME/toolchains/stable/bin/$2"\n`,
        "other/.cargo/bin/cargo": "-> rustup",
        "other/.rustup/toolchains/stable/bin/cargo": TOOL,
      });
      const HOME = empty();
      expect((await resolve("other/.cargo/bin/cargo", { HOME })).readable).toEqual([
        elsewhere(".rustup/toolchains/stable"),
      ]);
      expect(fs.readdirSync(HOME)).toEqual([]);
    });

    test("rustup without any home is not asked: it would make one", async () => {
      make({ "other/.cargo/bin/rustup": `#!/bin/sh\nmkdir "$HOME/.rustup"\n`, "other/.cargo/bin/cargo": "-> rustup" });
      const HOME = empty();
      await expect(resolve("other/.cargo/bin/cargo", { HOME })).rejects.toMatchObject({ code: "REQUIREMENT_MISSING" });
      expect(fs.readdirSync(HOME)).toEqual([]);
    });

    test.each([
      ["pyenv", "PYENV_ROOT"],
      ["rbenv", "RBENV_ROOT"],
      ["asdf", "ASDF_DATA_DIR"],
    ])("%s is told the folder of its shims by %s, unless the caller says another", async (manager, variable) => {
      make({
        [`other/.${manager}/libexec/${manager}`]: `#!/bin/sh\necho "$${variable}/versions/3/bin/$2"\n`,
        [`other/.${manager}/versions/3/bin/tool`]: TOOL,
        "mine/versions/3/bin/tool": TOOL,
      });
      make({
        [`other/.${manager}/shims/tool`]: `#!/usr/bin/env bash\nexec "${elsewhere(`.${manager}/libexec/${manager}`)}" exec "$program" "$@"\n`,
      });
      const HOME = empty();
      const shim = `other/.${manager}/shims/tool`;
      expect((await resolve(shim, { HOME })).readable).toEqual([elsewhere(`.${manager}/versions/3`)]);
      const own = { HOME, [variable]: path.join(home, "mine") };
      expect((await resolve(shim, own)).readable).toEqual(inHome("mine/versions/3"));
    });

    test("mise and volta are told the folder of their shims", async () => {
      make({
        "other/bin/mise": `#!/bin/sh\necho "$MISE_DATA_DIR/installs/node/20/bin/$2"\n`,
        "other/.local/share/mise/shims/node": `-> ../../../../bin/mise`,
        "other/.local/share/mise/installs/node/20/bin/node": TOOL,
        "other/.volta/bin/volta-shim": TOOL,
        "other/.volta/bin/node": "-> volta-shim",
        "other/.volta/bin/volta": `#!/bin/sh\necho "$VOLTA_HOME/tools/image/node/20/bin/$2"\n`,
        "other/.volta/tools/image/node/20/bin/node": TOOL,
      });
      const HOME = empty();
      expect((await resolve("other/.local/share/mise/shims/node", { HOME })).readable).toEqual([
        elsewhere(".local/share/mise/installs/node/20"),
      ]);
      expect((await resolve("other/.volta/bin/node", { HOME })).readable).toEqual([
        elsewhere(".volta/tools/image/node/20"),
      ]);
    });
  });

  test("a shim without a version behind it is a missing requirement, with the manager's own question as a hint", async () => {
    make({ ".cargo/bin/rustup": "#!/bin/sh\nexit 1\n", ".cargo/bin/cargo": "-> rustup", ".rustup/settings.toml": "" });
    await expect(resolve(".cargo/bin/cargo")).rejects.toMatchObject({
      code: "REQUIREMENT_MISSING",
      hint: `${path.join(home, ".cargo/bin/rustup")} which cargo`,
    });
  });

  test("shims that lead to each other end", async () => {
    make({ ".cargo/bin/rustup": `#!/bin/sh\necho "$HOME/.cargo/bin/$2"\n`, ".cargo/bin/cargo": "-> rustup" });
    await expect(resolve(".cargo/bin/cargo")).rejects.toMatchObject({ code: "REQUIREMENT_MISSING" });
  });

  test("C47: a manager is not given the caller's secrets", async () => {
    make({
      ".cargo/bin/rustup": `#!/bin/sh\nenv > "$HOME/seen"\nexit 1\n`,
      ".cargo/bin/cargo": "-> rustup",
      ".rustup/settings.toml": "",
    });
    await expect(resolve(".cargo/bin/cargo", { GITHUB_TOKEN: "hunter2", CARGO_HOME: "/x" })).rejects.toMatchObject({
      code: "REQUIREMENT_MISSING",
    });
    const seen = fs.readFileSync(path.join(home, "seen"), "utf8");
    expect(seen).toContain("CARGO_HOME=/x");
    expect(seen).not.toContain("hunter2");
  });

  test.runIf(process.getuid?.() === 0)("as root a toolchain that only root may read is refused", async () => {
    make({ "sdk/go/bin/go": TOOL });
    fs.chmodSync(path.join(home, "sdk/go"), 0o700);
    await expect(resolve("sdk/go/bin/go")).rejects.toMatchObject({ code: "SANDBOX_UNAVAILABLE" });
  });

  test("a toolchain of a home works in the sandbox, by its own path, and the home around it is not there", async () => {
    make({ "sdk/bin/tool": TOOL, ".netrc": "hunter2" });
    fs.chmodSync(home, 0o700);
    const toolchain = await resolve("sdk/bin/tool");
    const { host, paths } = fixture;
    const result = await createSandbox(host).run({
      argv: ["/bin/sh", "-c", `"${toolchain.program}"; ls -A "${home}"`],
      cwd: paths.source,
      env: { PATH: "/usr/bin:/bin" },
      timeoutMs: 20_000,
      signal: host.signal,
      grants: { writable: [paths.source], readable: toolchain.readable, network: [] },
    });
    expect(Buffer.from(result.stdout).toString()).toBe("tool\nsdk\n");
  });
});
