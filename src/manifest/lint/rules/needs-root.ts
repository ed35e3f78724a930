import { programOf } from "../../shell-commands.ts";
import { stepCommands } from "../places.ts";
import { ROOT_PROGRAMS } from "../root-programs.ts";
import type { LintRule } from "../rule.ts";

const SYSTEM_PACKAGES =
  /^(?:apt|apt-get|dnf|yum|zypper|pacman|apk|brew|port|emerge|xbps-install|snap|flatpak|rpm|dpkg|systemctl|useradd|usermod|groupadd|chown)$/u;

export const needsRoot: LintRule = {
  code: "NEEDS_ROOT",
  severity: "error",
  means: "A step asks for the rights of root, or changes the system's packages or services.",
  why: "Steps run in a sandbox that may write only their own prefix: the step cannot work, and outside of ipm it would change the whole machine.",
  cure: "Name what the machine must have in `requires`; the plan then shows how to get it.",
  bad: "steps: [{ run: sudo apt-get install -y libssl-dev, why: headers }, uses: cargo]",
  good: "steps: [{ uses: cargo }]\nrequires: [{ header: openssl/ssl.h }]",
  check: (subject) =>
    stepCommands(subject).flatMap(({ path, command }) => {
      const program = programOf(command);
      if (ROOT_PROGRAMS.has(program)) return [{ path, message: `\`${program}\` asks for the rights of root` }];
      if (!SYSTEM_PACKAGES.test(program)) return [];
      return [
        {
          path,
          message: `\`${program}\` changes the system`,
          hint: "name what the machine must have in `requires`",
        },
      ];
    }),
};
