import { IpmError } from "../../core/errors.ts";
import type { CommandSpec } from "../command.ts";

export const completionCommand: CommandSpec = {
  name: "completion",
  operands: "SHELL",
  group: "Set up",
  summary: "the completion script of a shell: bash, zsh or fish",
  examples: [
    [`eval "$(ipm completion bash)"`, "in this shell; `ipm setup` does it for good"],
    ["ipm completion zsh > _ipm", "a file for a folder of fpath"],
    ["ipm completion fish | source", "in fish"],
  ],
  json: "{shell, script}",
  completes: "shells",
  run: async (_session, invocation) => {
    const { completionScript } = await import("../completion.ts");
    const shell = invocation.operand;
    if (shell !== "bash" && shell !== "zsh" && shell !== "fish") {
      throw new IpmError("USAGE", `there are completions for bash, zsh and fish, not for ${JSON.stringify(shell)}`, {
        hint: "ipm completion bash",
      });
    }
    const script = completionScript(shell);
    return { result: { shell, script }, render: () => script.trimEnd().split("\n") };
  },
};
