import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { Ask } from "../../../src/usecases/context.ts";
import { selfRemove } from "../../../src/usecases/self-remove.ts";
import { type SetupOptions, type SetupResult, setup } from "../../../src/usecases/setup.ts";
import { shellenv } from "../../../src/usecases/shellenv.ts";
import { layoutOf } from "../../../src/store/layout.ts";
import { acquireLock } from "../../../src/store/locks.ts";
import { createContext } from "../../helpers/bare-context.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

const COMPLETIONS = { bash: "complete -W x ipm\n", zsh: "#compdef ipm\n", fish: "complete -c ipm\n" };

function options(changes: Partial<SetupOptions> = {}): SetupOptions {
  return { shell: null, yes: true, script: "/nowhere/ipm.cjs", completions: COMPLETIONS, ...changes };
}

function home(): string {
  const folder = path.join(temporaryFolder(), "home");
  mkdirSync(folder);
  return folder;
}

function setUp(
  folder: string,
  changes: Partial<SetupOptions> = {},
  env: Record<string, string> = {},
  ask: Ask | null = null,
): Promise<SetupResult> {
  return setup(createContext(folder, { SHELL: "/bin/bash", ...env }, ask), options(changes));
}

/** Run lines in a real shell with nothing but what they set. */
function run(shell: string, script: string, env: Record<string, string> = {}): string {
  // Without stdin: bash takes a socket there for a remote login and reads the rc files of whoever runs the test.
  const result = spawnSync(shell, ["-c", script], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: "/usr/bin:/bin", ...env },
    encoding: "utf8",
  });
  expect(result.stderr).toBe("");
  return result.stdout;
}

describe("shellenv", () => {
  // A106: paths with every character that a shell could take for something.
  const names = [
    "plain",
    "two words",
    "it's",
    'say "hi"',
    "$HOME",
    "`id`",
    "back\\slash",
    "100%",
    "a*b?",
    "~tilde",
    "ünï",
    "-n",
    "[x]",
    "a;b&c|d",
    "new $(id) one",
  ];
  const shells = ["bash", "dash", "zsh"].filter((shell) => spawnSync(shell, ["-c", ":"]).status === 0);

  test.each(shells.flatMap((shell) => names.map((name) => [shell, name] as const)))(
    "A106: %s puts a home named %j first on PATH, once",
    (shell, name) => {
      const folder = path.join(temporaryFolder(), name);
      mkdirSync(folder);
      const context = createContext(folder);
      const bin = path.join(context.host.homes.data, "current/bin");
      const own = path.join(context.host.homes.data, "bin");
      const { script } = shellenv(context, shell === "bash" || shell === "zsh" ? shell : "sh");
      expect(run(shell, `${script}\nprintf %s "$PATH"`)).toBe(`${bin}:${own}:/usr/bin:/bin`);
      // Evaluated again, and from the middle of PATH.
      expect(
        run(shell, `PATH="/opt:$1:/usr/bin"\n${script}\n${script}\nprintf %s "$PATH"`.replace("$1", "$ODD"), {
          ODD: bin,
        }),
      ).toBe(`${bin}:${own}:/opt:/usr/bin`);
    },
  );

  const withShell = (script: string, env: Record<string, string>): string =>
    run("bash", `${script}\nprintf '%s|%s|%s' "$PATH" "\${MANPATH-unset}" "$XDG_DATA_DIRS"`, env);

  test("leaves MANPATH alone when it is unset, and keeps the place of the system's pages when it is set", () => {
    const context = createContext(home());
    const { script } = shellenv(context, "bash");
    const man = `${context.host.homes.data}/current/share/man:${context.host.homes.data}/share/man`;
    expect(withShell(script, {}).split("|")[1]).toBe("unset");
    expect(withShell(script, { MANPATH: "/opt/man:" }).split("|")[1]).toBe(`${man}:/opt/man:`);
    expect(withShell(script, { MANPATH: ":/opt/man" }).split("|")[1]).toBe(`${man}::/opt/man`);
  });

  test("adds to XDG_DATA_DIRS without losing its default, and keeps empty members of PATH", () => {
    const context = createContext(home());
    const { script } = shellenv(context, "bash");
    const { data } = context.host.homes;
    expect(withShell(script, {}).split("|")[2]).toBe(`${data}/current/share:${data}/share:/usr/local/share:/usr/share`);
    expect(withShell(script, { PATH: "/usr/bin::/bin" }).split("|")[0]).toBe(
      `${data}/current/bin:${data}/bin:/usr/bin::/bin`,
    );
    expect(
      run(
        "bash",
        `PATH=
${script}
printf %s "$PATH"`,
      ),
    ).toBe(`${data}/current/bin:${data}/bin`);
  });

  test("leaves no name behind, and works under set -eu", () => {
    const { script } = shellenv(createContext(home()), "sh");
    expect(run("dash", `set -eu\n${script}\nset | grep -c _ipm || :`)).toBe("0\n");
  });

  test("quotes for fish, whose strings know other escapes", () => {
    const folder = path.join(temporaryFolder(), String.raw`it's \ odd`);
    mkdirSync(folder);
    expect(shellenv(createContext(folder), "fish").script).toContain(String.raw`it\'s \\ odd/`);
  });

  test("keeps IPM_HOME together with the tools that are put on PATH", () => {
    const folder = home();
    const context = createContext(folder, { IPM_HOME: path.join(folder, "x") });
    expect(shellenv(context, "bash").script).toContain(`export IPM_HOME='${path.join(folder, "x")}'`);
  });
});

describe("setup and self remove", () => {
  const contents: readonly (readonly [string, Buffer | null])[] = [
    ["a file that ends as it should", Buffer.from("alias ll='ls -l'\n")],
    ["a file without a last line break", Buffer.from("alias ll='ls -l'")],
    ["an empty file", Buffer.from("")],
    ["no file", null],
    ["a file with Windows line ends", Buffer.from("a\r\nb\r\n")],
    ["a file that is not UTF-8", Buffer.from([0x23, 0xff, 0xfe, 0x00, 0x0a, 0xe9])],
    ["a file that speaks of the marks", Buffer.from("echo '# >>> ipm >>>'\n # >>> ipm >>>\n")],
  ];

  test.each(contents)("give back %s byte for byte", async (_, before) => {
    const folder = home();
    const rc = path.join(folder, ".bashrc");
    if (before !== null) writeFileSync(rc, before);
    const context = createContext(folder, { SHELL: "/usr/bin/bash" });
    expect((await setup(context, options())).rc).toEqual({ path: rc, state: "added" });
    expect(readFileSync(rc).includes(Buffer.from(before ?? ""))).toBe(true);
    expect((await setup(context, options())).rc.state).toBe("present");
    expect(readFileSync(rc, "latin1").split("# <<< ipm <<<").length).toBe(2);
    const removed = await selfRemove(context, { yes: true });
    expect(removed.rcFiles).toEqual([rc]);
    expect(lstatSync(rc, { throwIfNoEntry: false }) === undefined ? null : readFileSync(rc)).toEqual(before);
  });

  test("what was written after the block stays, line break included", async () => {
    const folder = home();
    const rc = path.join(folder, ".bashrc");
    writeFileSync(rc, "first");
    await setUp(folder);
    writeFileSync(rc, `${readFileSync(rc, "utf8")}last\n`);
    await selfRemove(createContext(folder), { yes: true });
    expect(readFileSync(rc, "utf8")).toBe("first\nlast\n");
  });

  test("a new bash finds ipm and the tools, from a home with an odd name", async () => {
    const folder = path.join(temporaryFolder(), `it's $HOME "x"`);
    mkdirSync(folder);
    const script = path.join(folder, "ipm.cjs");
    writeFileSync(script, "console.log(process.argv.slice(2).join('|'))");
    const { launcher } = await setUp(folder, { script });
    const found = run("bash", `. "$HOME/.bashrc"; command -v ipm; ipm 'a b' '*' ''`, { HOME: folder });
    expect(found).toBe(`${launcher}\na b|*|\n`);
  });

  test("the launcher says so when ipm has gone, and finds another Node when its own has", async () => {
    const folder = home();
    const { launcher } = await setUp(folder, { script: path.join(folder, "gone.cjs") });
    const result = spawnSync(launcher, ["list"], { encoding: "utf8", env: {} });
    expect(result.status).toBe(127);
    expect(result.stderr).toContain("gone.cjs");

    writeFileSync(path.join(folder, "gone.cjs"), "console.log('back')");
    writeFileSync(launcher, readFileSync(launcher, "utf8").replace(/^node=.*$/mu, "node='/no/such/node'"));
    const { stdout } = spawnSync(launcher, [], {
      encoding: "utf8",
      env: { PATH: `${path.dirname(process.execPath)}:/usr/bin:/bin` },
    });
    expect(stdout).toBe("back\n");
  });

  test("a link to a file elsewhere stays a link, and odd permissions stay", async () => {
    const folder = home();
    const real = path.join(folder, "dotfiles-bashrc");
    const rc = path.join(folder, ".bashrc");
    writeFileSync(real, "x=1\n");
    chmodSync(real, 0o640);
    symlinkSync("dotfiles-bashrc", rc);
    await setUp(folder);
    expect(readlinkSync(rc)).toBe("dotfiles-bashrc");
    expect(readFileSync(real, "utf8")).toContain("ipm");
    expect(statSync(real).mode & 0o777).toBe(0o640);
    await selfRemove(createContext(folder), { yes: true });
    expect(readlinkSync(rc)).toBe("dotfiles-bashrc");
    expect(readFileSync(real, "utf8")).toBe("x=1\n");
    expect(statSync(real).mode & 0o777).toBe(0o640);
  });

  test("nothing is written to the rc file without a yes", async () => {
    const folder = home();
    const rc = path.join(folder, ".bashrc");
    writeFileSync(rc, "x=1\n");
    expect((await setUp(folder, { yes: false })).rc.state).toBe("printed");
    expect((await setUp(folder, { yes: false }, {}, async () => false)).rc.state).toBe("declined");
    expect(readFileSync(rc, "utf8")).toBe("x=1\n");
    let asked = "";
    const agree: Ask = async ({ text, detail }) => {
      asked = [text, ...(detail ?? [])].join("\n");
      return true;
    };
    const { rc: result, lines } = await setUp(folder, { yes: false }, {}, agree);
    expect(result.state).toBe("added");
    // What was agreed to is what was written.
    expect(asked).toContain(lines.join("\n"));
    expect(readFileSync(rc, "utf8")).toContain(lines.join("\n"));
  });

  test("a block whose end was cut off is left alone, by both", async () => {
    const folder = home();
    const rc = path.join(folder, ".bashrc");
    const broken = "# >>> ipm >>>\nexport IMPORTANT=1\n";
    writeFileSync(rc, broken);
    expect((await setUp(folder)).rc.state).toBe("damaged");
    const { kept } = await selfRemove(createContext(folder), { yes: true });
    expect(kept).toEqual([expect.objectContaining({ path: rc })]);
    expect(readFileSync(rc, "utf8")).toBe(broken);
  });

  test("each shell has its own file", async () => {
    const folder = home();
    mkdirSync(path.join(folder, ".config/fish"), { recursive: true });
    for (const [shell, file] of [
      ["zsh", ".zshrc"],
      ["fish", ".config/fish/config.fish"],
      ["sh", ".profile"],
    ] as const) {
      expect((await setUp(folder, { shell })).rc).toEqual({ path: path.join(folder, file), state: "added" });
    }
    expect((await setUp(folder, {}, { SHELL: "/bin/zsh", ZDOTDIR: path.join(folder, ".config") })).rc.path).toBe(
      path.join(folder, ".config/.zshrc"),
    );
    // All of them are undone at once.
    const { rcFiles } = await selfRemove(createContext(folder, { ZDOTDIR: path.join(folder, ".config") }), {
      yes: true,
    });
    expect(rcFiles.length).toBe(4);
  });
});

describe("self remove", () => {
  test("leaves nothing of ipm and everything else", async () => {
    const folder = home();
    writeFileSync(path.join(folder, "mine"), "1");
    const context = createContext(folder);
    await setup(context, options());
    for (const name of [context.host.homes.cache, context.host.homes.config]) mkdirSync(name, { recursive: true });
    mkdirSync(path.join(context.host.homes.cache, "git/abc"), { recursive: true });
    writeFileSync(path.join(context.host.homes.cache, "config.json"), "{}");
    writeFileSync(path.join(context.host.homes.config, "config.yaml"), "registries: []\n");
    for (const place of Object.values(layoutOf(context.host.homes))) {
      if (!existsSync(place)) mkdirSync(place);
    }
    const { removed, kept } = await selfRemove(context, { yes: true });
    expect(removed.toSorted()).toEqual(
      [context.host.homes.cache, context.host.homes.config, context.host.homes.data].toSorted(),
    );
    expect(kept).toEqual([]);
    for (const name of removed) expect(lstatSync(name, { throwIfNoEntry: false })).toBeUndefined();
    expect(readFileSync(path.join(folder, "mine"), "utf8")).toBe("1");
    // Once more: there is nothing to do, and that is no failure.
    expect(await selfRemove(context, { yes: true })).toEqual({ removed: [], rcFiles: [], kept: [] });
  });

  test("takes the empty folders above its homes that it made, and no other", async () => {
    const folder = home();
    mkdirSync(path.join(folder, ".local/share"), { recursive: true });
    const context = createContext(folder);
    await setup(context, options());
    await context.host.files.createFolder(path.join(context.host.homes.cache, "git"));
    await context.host.files.createFolder(context.host.homes.config);
    mkdirSync(path.join(folder, ".config/other"));
    expect((await selfRemove(context, { yes: true })).kept).toEqual([]);
    expect(readdirSync(path.join(folder, ".local/share"))).toEqual([]);
    expect(existsSync(path.join(folder, ".cache"))).toBe(false);
    expect(readdirSync(path.join(folder, ".config"))).toEqual(["other"]);
  });

  test("believes no note that names another folder", async () => {
    const folder = home();
    const context = createContext(folder);
    await setup(context, options());
    mkdirSync(path.join(folder, "empty"));
    writeFileSync(
      path.join(context.host.homes.data, "parents.json"),
      JSON.stringify([path.join(folder, "empty"), path.join(folder, ".local")]),
    );
    await selfRemove(context, { yes: true });
    // `.local/share` was not noted, so it stays, and what is above it.
    expect(readdirSync(folder).toSorted()).toEqual([".local", "empty"]);
  });

  test("removes a cache and a configuration that no installation has been added to", async () => {
    const folder = home();
    const context = createContext(folder);
    await context.host.files.createFolder(path.join(context.host.homes.cache, "git/abc"));
    await context.host.files.createFolder(context.host.homes.config);
    writeFileSync(path.join(context.host.homes.config, "config.yaml"), "registries: []\n");
    await selfRemove(context, { yes: true });
    expect(readdirSync(folder)).toEqual([]);

    // Another program's configuration, and a cache that holds more than ipm's names.
    mkdirSync(context.host.homes.config, { recursive: true });
    writeFileSync(path.join(context.host.homes.config, "config.yaml"), "packages: [a]\n");
    await expect(selfRemove(context, { yes: true })).rejects.toMatchObject({ code: "FOREIGN_FILE" });
    expect(readFileSync(path.join(context.host.homes.config, "config.yaml"), "utf8")).toBe("packages: [a]\n");
  });

  test("waits for an ipm that builds, and gives up with its name", async () => {
    const folder = home();
    const context = createContext(folder);
    await setup(context, options());
    const { locks } = layoutOf(context.host.homes);
    const lock = await acquireLock(context.host, locks, "entry-slow", {
      command: "ipm install slow",
      timeoutMs: 0,
      emit: () => {},
    });
    await expect(selfRemove({ ...context, lockTimeoutMs: 0 }, { yes: true })).rejects.toMatchObject({ code: "LOCKED" });
    expect(existsSync(layoutOf(context.host.homes).marker)).toBe(true);
    await lock.release();
    await selfRemove({ ...context, lockTimeoutMs: 0 }, { yes: true });
    expect(readdirSync(folder)).toEqual([]);
  });

  test("keeps and names what ipm did not make", async () => {
    const folder = home();
    const context = createContext(folder);
    await setup(context, options());
    const foreign = path.join(context.host.homes.data, "thesis.tex");
    writeFileSync(foreign, "chapter 1");
    const { kept } = await selfRemove(context, { yes: true });
    expect(kept).toEqual([{ path: foreign, why: "ipm did not make it" }]);
    expect(readFileSync(foreign, "utf8")).toBe("chapter 1");
  });

  test("takes only its own names out of a folder that its cache is a link to", async () => {
    const folder = home();
    const shared = path.join(folder, "shared");
    mkdirSync(path.join(shared, "git"), { recursive: true });
    writeFileSync(path.join(shared, "theirs"), "1");
    mkdirSync(path.join(folder, ".cache"));
    symlinkSync(shared, path.join(folder, ".cache/ipm"));
    const context = createContext(folder);
    await setup(context, options());
    const { kept } = await selfRemove(context, { yes: true });
    expect(kept).toEqual([{ path: path.join(shared, "theirs"), why: "ipm did not make it" }]);
    expect(existsSync(path.join(shared, "git"))).toBe(false);
  });

  test("refuses a home that does not carry ipm's mark: IPM_HOME=/ destroys nothing", async () => {
    const folder = home();
    const data = path.join(folder, "x/data");
    mkdirSync(path.join(data, "store/valuable"), { recursive: true });
    const context = createContext(folder, { IPM_HOME: path.join(folder, "x") });
    await expect(selfRemove(context, { yes: true })).rejects.toMatchObject({
      code: "FOREIGN_FILE",
      data: { path: data },
    });
    expect(lstatSync(path.join(data, "store/valuable")).isDirectory()).toBe(true);
  });

  test("removes IPM_HOME itself when ipm made it and nothing else is in it", async () => {
    const folder = home();
    const context = createContext(folder, { IPM_HOME: path.join(folder, "x/y") });
    await setup(context, options());
    await selfRemove(context, { yes: true });
    expect(readdirSync(folder)).toEqual([]);

    mkdirSync(path.join(folder, "x/y"), { recursive: true });
    await setup(createContext(folder, { IPM_HOME: path.join(folder, "x/y") }), options());
    await selfRemove(createContext(folder, { IPM_HOME: path.join(folder, "x/y") }), { yes: true });
    expect(readdirSync(path.join(folder, "x"))).toEqual(["y"]);
  });

  test("fish's folder is made for its file, and goes with it", async () => {
    const folder = home();
    const { rc } = await setUp(folder, { shell: "fish" });
    expect(rc).toEqual({ path: path.join(folder, ".config/fish/config.fish"), state: "added" });
    expect(readFileSync(rc.path ?? "", "utf8")).toContain("env.fish");
    await selfRemove(createContext(folder), { yes: true });
    expect(readdirSync(folder)).toEqual([]);
  });

  test("takes only the block that leads to its own home out of an rc file", async () => {
    const folder = home();
    await setUp(folder, {}, { IPM_HOME: path.join(folder, "one") });
    const { rcFiles } = await selfRemove(createContext(folder, { IPM_HOME: path.join(folder, "two") }), { yes: true });
    expect(rcFiles).toEqual([]);
    expect(readFileSync(path.join(folder, ".bashrc"), "utf8")).toContain("/one/data/");
  });

  test("asks, says what would go, and takes no for an answer", async () => {
    const folder = home();
    await setUp(folder);
    await expect(selfRemove(createContext(folder), { yes: false })).rejects.toMatchObject({
      code: "USAGE",
      hint: "ipm self remove --yes",
    });
    let detail: readonly string[] = [];
    const refuse: Ask = async (question) => {
      detail = question.detail ?? [];
      expect(question.default).toBe(false);
      return false;
    };
    await expect(selfRemove(createContext(folder, {}, refuse), { yes: false })).rejects.toMatchObject({
      code: "DECLINED",
    });
    expect(detail.join("\n")).toContain(createContext(folder).host.homes.data);
    expect(detail.join("\n")).toContain(".bashrc");
    expect(readFileSync(path.join(folder, ".bashrc"), "utf8")).toContain("ipm");
  });
});
