import type { CommandSpec } from "./command.ts";
import { bumpCommand } from "./commands/bump.ts";
import { completionCommand } from "./commands/completion.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { fmtCommand } from "./commands/fmt.ts";
import { gcCommand } from "./commands/gc.ts";
import { historyCommand } from "./commands/history.ts";
import { holdCommand, unholdCommand } from "./commands/hold.ts";
import { importCommand } from "./commands/import.ts";
import { initCommand } from "./commands/init.ts";
import { installCommand } from "./commands/install.ts";
import { lintCommand } from "./commands/lint.ts";
import { listCommand } from "./commands/list.ts";
import { logsCommand } from "./commands/logs.ts";
import { outdatedCommand } from "./commands/outdated.ts";
import { planCommand } from "./commands/plan.ts";
import { publishCommand } from "./commands/publish.ts";
import {
  registryAddCommand,
  registryBuildCommand,
  registryListCommand,
  registryRemoveCommand,
} from "./commands/registry.ts";
import { reinstallCommand } from "./commands/reinstall.ts";
import { rollbackCommand } from "./commands/rollback.ts";
import { runCommand } from "./commands/run.ts";
import { searchCommand } from "./commands/search.ts";
import { selfRemoveCommand } from "./commands/self-remove.ts";
import { setupCommand } from "./commands/setup.ts";
import { shellenvCommand } from "./commands/shellenv.ts";
import { showCommand } from "./commands/show.ts";
import { uninstallCommand } from "./commands/uninstall.ts";
import { updateCommand } from "./commands/update.ts";
import { upgradeCommand } from "./commands/upgrade.ts";
import { verifyCommand } from "./commands/verify.ts";
import { whichCommandSpec } from "./commands/which.ts";

/** Every command, in the order of help. */
export const COMMANDS: readonly CommandSpec[] = [
  installCommand,
  planCommand,
  runCommand,
  upgradeCommand,
  reinstallCommand,
  holdCommand,
  unholdCommand,
  listCommand,
  showCommand,
  searchCommand,
  whichCommandSpec,
  outdatedCommand,
  logsCommand,
  uninstallCommand,
  rollbackCommand,
  historyCommand,
  gcCommand,
  updateCommand,
  verifyCommand,
  registryListCommand,
  registryAddCommand,
  registryRemoveCommand,
  registryBuildCommand,
  initCommand,
  lintCommand,
  fmtCommand,
  bumpCommand,
  publishCommand,
  importCommand,
  setupCommand,
  shellenvCommand,
  completionCommand,
  doctorCommand,
  selfRemoveCommand,
];
