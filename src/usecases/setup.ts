import path from "node:path";
import { IpmError } from "../core/errors.ts";
import { layoutOf } from "../store/layout.ts";
import { createNotedFolder } from "../store/parents.ts";
import { openForWriting } from "../store/recover.ts";
import { type Context, storeOf } from "./context.ts";
import { addRcBlock } from "./rc-block.ts";
import { rcFileOf } from "./rc-files.ts";
import { type Shell, quoteFish, quotePosix, shellOf } from "./shell.ts";
import { shellenv } from "./shellenv.ts";

export interface SetupOptions {
  /** Null: the shell of `$SHELL`. */
  readonly shell: Shell | null;
  /** Write the rc block without asking. */
  readonly yes: boolean;
  /** ipm's own executable script. */
  readonly script: string;
  /** ipm's own completion scripts. */
  readonly completions: Readonly<Record<"bash" | "zsh" | "fish", string>>;
}

export interface SetupResult {
  readonly shell: Shell;
  /** The launcher of ipm itself. */
  readonly launcher: string;
  readonly rc: {
    /** Null: no HOME to find one in. */
    readonly path: string | null;
    /** `printed`: it could not be written, or nobody could be asked; `declined`: the answer was no; `damaged`: an older block has no end. */
    readonly state: "added" | "present" | "printed" | "declined" | "damaged";
    /** Why nothing was written although nobody said no; only where that is so. */
    readonly why?: string;
  };
  /** What the rc file needs, for those who write it themselves. */
  readonly lines: readonly string[];
}

/** Why nothing was written where `--yes` would have been enough. */
export const NOBODY_ASKED = "nobody could be asked";

/** Files of `setup` below the data home, for `self remove`. */
export const SETUP_FILES: readonly string[] = ["bin", "share", "env.bash", "env.zsh", "env.fish", "env.sh"];

/** The file that the rc block reads. It is in ipm's home, so that a newer `setup` can mend it without touching the rc file. */
export function envFileOf(context: Context, shell: Shell): string {
  return path.join(context.host.homes.data, `env.${shell}`);
}

function launcherScript(node: string, script: string): string {
  return [
    "#!/bin/sh",
    "# Written by `ipm setup`.",
    `node=${quotePosix(node)}`,
    `ipm=${quotePosix(script)}`,
    // A version manager may have removed that Node since.
    `[ -x "$node" ] || node=node`,
    `[ -f "$ipm" ] || { echo "ipm is no longer in $ipm: install it again and run its setup" >&2; exit 127; }`,
    `exec "$node" "$ipm" "$@"`,
    "",
  ].join("\n");
}

function rcLines(envFile: string, shell: Shell): string[] {
  return shell === "fish"
    ? [`if test -r ${quoteFish(envFile)}`, `    source ${quoteFish(envFile)}`, "end"]
    : [`if [ -r ${quotePosix(envFile)} ]; then`, `  . ${quotePosix(envFile)}`, "fi"];
}

async function writeOwnFiles(context: Context, options: SetupOptions, launcher: string): Promise<void> {
  const { files, facts, homes } = context.host;
  await files.createFolder(path.dirname(launcher));
  await files.writeDurably(launcher, launcherScript(facts.node.path, options.script), 0o755);
  const completions = {
    bash: path.join(homes.data, "share/bash-completion/completions/ipm"),
    zsh: path.join(homes.data, "share/zsh/site-functions/_ipm"),
    fish: path.join(homes.data, "share/fish/vendor_completions.d/ipm.fish"),
  } as const;
  for (const shell of ["bash", "zsh", "fish"] as const) {
    await files.createFolder(path.dirname(completions[shell]));
    await files.writeDurably(completions[shell], options.completions[shell]);
  }
  for (const shell of ["bash", "zsh", "fish", "sh"] as const) {
    // Without the bash-completion package nothing looks into XDG_DATA_DIRS.
    const own =
      shell === "bash"
        ? `case $- in *i*) [ ! -r ${quotePosix(completions.bash)} ] || . ${quotePosix(completions.bash)} ;; esac\n`
        : "";
    await files.writeDurably(
      envFileOf(context, shell),
      `# Written by \`ipm setup\`.\n${shellenv(context, shell).script}${own}`,
    );
  }
}

async function writeRcFile(context: Context, rc: string, content: Uint8Array): Promise<void> {
  const { files } = context.host;
  // A link (dotfiles kept elsewhere) stays one: what it leads to is written.
  const real = (await files.realPath(rc)) ?? rc;
  const mode = (await files.facts(real))?.mode ?? 0o644;
  await files.writeDurably(real, content, mode);
  await files.setMode(real, mode);
}

/**
 * Put ipm itself into a bin folder of its own home and, on a yes, a block into the shell's rc file that puts it and the
 * tools on PATH. Nothing else outside ipm's homes is written; running it again changes nothing.
 * @throws IpmError IO_FAILED when the rc file cannot be written; the block's lines are in `data.lines`
 */
export async function setup(context: Context, options: SetupOptions): Promise<SetupResult> {
  const { files, facts } = context.host;
  await openForWriting(storeOf(context));
  const launcher = path.join(layoutOf(context.host.homes).data, "bin/ipm");
  await writeOwnFiles(context, options, launcher);

  const shell = options.shell ?? shellOf(facts.env);
  const lines = rcLines(envFileOf(context, shell), shell);
  const rc = await rcFileOf(context.host, shell);
  const answer = (state: SetupResult["rc"]["state"], why?: string): SetupResult => ({
    shell,
    launcher,
    rc: { path: rc, state, ...(why === undefined ? {} : { why }) },
    lines,
  });
  if (rc === null) return answer("printed", "HOME is not set");

  const isDangling = (await files.facts(rc))?.kind === "link" && (await files.realPath(rc)) === undefined;
  if (isDangling) return answer("printed", "it is a link to a file that does not exist");
  const folder = path.dirname(rc);
  // fish makes its folder when it first starts; nobody's HOME or ZDOTDIR is made here.
  const mayMakeFolder = shell === "fish" && (await files.facts(facts.env["HOME"] ?? "")) !== undefined;
  if (!mayMakeFolder && (await files.facts(folder)) === undefined) {
    return answer("printed", `there is no folder ${folder}`);
  }
  const content = addRcBlock((await files.readBytes(rc)) ?? null, lines);
  if (content === null) return answer("present");
  if (content === "damaged") return answer("damaged");
  if (!options.yes) {
    if (context.ask === null) return answer("printed", NOBODY_ASKED);
    const isWanted = await context.ask({
      kind: "confirm",
      text: `Add these lines to ${rc}?`,
      detail: lines,
      default: false,
    });
    if (!isWanted) return answer("declined");
  }
  try {
    if (mayMakeFolder) await createNotedFolder(files, context.host.homes.data, folder);
    await writeRcFile(context, rc, content);
  } catch (error) {
    if (!(error instanceof IpmError)) throw error;
    throw new IpmError(error.code, error.message, {
      hint: `add these lines yourself:\n${lines.join("\n")}`,
      data: { ...error.data, lines },
      cause: error,
    });
  }
  return answer("added");
}
