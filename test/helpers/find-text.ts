import { lstatSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";

/** Every file below a folder that holds a text, as paths below it. */
export function filesWith(folder: string, text: string): string[] {
  const found: string[] = [];
  const walk = (current: string): void => {
    for (const name of readdirSync(current).toSorted()) {
      const file = path.join(current, name);
      const stats = lstatSync(file);
      if (stats.isDirectory()) walk(file);
      else if (stats.isFile() && readFileSync(file).includes(text)) found.push(path.relative(folder, file));
    }
  };
  walk(folder);
  return found;
}

/** Linux: every process whose arguments or environment hold a text, as `PID cmdline` or `PID environ`. */
export function processesShowing(text: string): string[] {
  const found: string[] = [];
  for (const pid of readdirSync("/proc").filter((name) => /^[0-9]+$/u.test(name))) {
    for (const part of ["cmdline", "environ"]) {
      try {
        if (readFileSync(`/proc/${pid}/${part}`).includes(text)) found.push(`${pid} ${part}`);
      } catch {
        // It ended meanwhile, or is another user's.
      }
    }
  }
  return found;
}
