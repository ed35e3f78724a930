import type { Finding } from "./finding.ts";
import { findingAt } from "./source-text.ts";
import type { Located } from "./yaml-document.ts";
import { readYamlDocument } from "./yaml-document.ts";

/** Where a manifest says what only its registry can object to, in this order. */
const KEYS = ["name", "aliases", "formerly", "source", "versions"];

function find(located: Located | undefined, text: string): Located | undefined {
  if (located?.members === undefined) return located?.value === text ? located : undefined;
  for (const member of located.members.values()) {
    const found = find(member, text);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A finding about a manifest as a whole at the line and column of the text that it is about; else as it is. Pure. */
export function placeFinding({ about, ...finding }: Finding, bytes: Uint8Array): Finding {
  const yaml = about === undefined ? undefined : readYamlDocument(bytes, finding.file);
  if (about === undefined || yaml?.ok !== true) return finding;
  for (const key of KEYS) {
    const found = find(yaml.root.members?.get(key), about);
    if (found !== undefined) return findingAt(yaml.source, found.range, finding);
  }
  return finding;
}
