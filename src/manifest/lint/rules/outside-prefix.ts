import { programOf } from "../../shell-commands.ts";
import type { ShellCommand } from "../../shell-commands.ts";
import { stepCommands } from "../places.ts";
import type { LintRule } from "../rule.ts";

const OUTSIDE = /^(?:\/usr\/|\/usr$|\/opt\/|\/etc\/|\/var\/|\/bin\/|\/lib\/|~\/|\$HOME\b|\$\{HOME\})/u;
const WRITERS = new Set(["cp", "mv", "install", "ln", "mkdir", "tee", "rsync", "touch", "chmod"]);

function problemOf(command: ShellCommand): string | undefined {
  const program = programOf(command);
  const { words } = command;
  const target = [...command.redirects, ...(WRITERS.has(program) ? words.slice(-1) : [])].find((word) =>
    OUTSIDE.test(word),
  );
  if (target !== undefined) return `\`${target}\` is outside of the prefix`;
  if (/^(?:npm|pnpm|bun)$/u.test(program) && words.some((word) => word === "-g" || word === "--global"))
    return `\`${program} -g\` installs for the whole account`;
  if (program === "yarn" && words[1] === "global") return "`yarn global` installs for the whole account";
  if (/^pip[0-9.]*$/u.test(program)) {
    const flag = words.find((word) => word === "--user" || word === "--break-system-packages");
    if (flag !== undefined) return `\`pip ${flag}\` installs for the whole account`;
  }
  if (program === "make" && words.includes("install")) {
    const placed = [...words, ...command.assignments].some((word) =>
      /^(?:PREFIX|prefix|DESTDIR|INSTALL_DIR|BINDIR|bindir)(?:=|$)/u.test(word),
    );
    if (!placed) return "`make install` without PREFIX installs into /usr/local";
  }
  return undefined;
}

export const outsidePrefix: LintRule = {
  code: "OUTSIDE_PREFIX",
  severity: "error",
  means: "A step writes outside of the tool's own prefix.",
  why: "The sandbox refuses it; and what is written there no uninstall would ever find.",
  cure: "Install below `$IPM_PREFIX`, or let a recipe do it.",
  bad: "steps: [uses: npm, { run: cp -r man /usr/local/share, why: manual pages }]",
  good: "steps: [uses: npm, { run: 'cp -r man \"$IPM_PREFIX/share\"', why: manual pages }]",
  check: (subject) =>
    stepCommands(subject).flatMap(({ path, command }) => {
      const message = problemOf(command);
      return message === undefined ? [] : [{ path, message, hint: "install below $IPM_PREFIX, or let a recipe do it" }];
    }),
};
