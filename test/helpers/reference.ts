import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** A page of the repository, to compare with what is generated for it; `UPDATE=1` writes it first. */
export function readPage(file: string, generated: string): string {
  const page = path.join(ROOT, file);
  if (process.env["UPDATE"] === "1") writeFileSync(page, generated);
  return readFileSync(page, "utf8");
}
