import type { CommandSpec } from "../command.ts";
import { LOCK_TIMEOUT, readLockTimeout } from "./plan-options.ts";

export const setupCommand: CommandSpec = {
  name: "setup",
  operands: "[SHELL]",
  group: "Set up",
  summary: "put ipm and its tools on PATH, once",
  examples: [
    ["ipm setup", "asks before it writes to your shell's rc file"],
    ["ipm setup --yes", "does not ask"],
    ["ipm setup zsh", "for another shell than $SHELL"],
  ],
  about: [
    "Makes a launcher for ipm in its own data folder and, on a yes, adds a marked block to ~/.bashrc, ~/.zshrc or fish's config. Nothing else outside ipm's folders is ever written. `ipm self remove` takes everything out again.",
  ],
  options: [LOCK_TIMEOUT],
  json: "{shell, launcher, rc: {path, state: added|present|printed|declined|damaged, why?}, lines}",
  completes: "shells",
  run: async (session, invocation) => {
    const path = await import("node:path");
    const { setup } = await import("../../usecases/setup.ts");
    const { parseShell } = await import("../../usecases/shell.ts");
    const { renderSetup } = await import("../render/setup.ts");
    const { completionScript } = await import("../completion.ts");
    const wanted = invocation.operands[0];
    const context = await session.openContext({ writes: true, lockTimeoutMs: readLockTimeout(invocation) });
    const result = await setup(context, {
      shell: wanted === undefined ? null : parseShell(wanted),
      yes: session.globals.yes,
      script: path.join(session.installation.root, "bin/ipm.cjs"),
      completions: { bash: completionScript("bash"), zsh: completionScript("zsh"), fish: completionScript("fish") },
    });
    return { result, render: (theme) => renderSetup(result, theme) };
  },
};
