import { isMap, isScalar, isSeq } from "yaml";
import { compareVersions } from "./compare-versions.ts";
import { documentText, editableDocument, newDocument } from "./format-manifest.ts";

/** An entry for `versions`, in the order of its keys. */
export interface NewVersion {
  readonly version: string;
  /** The pin of a commit, of a package, or both. */
  readonly ref?: string;
  readonly commit?: string;
  readonly tree?: string;
  readonly integrity?: string;
  readonly lock?: string;
  readonly added: string;
  readonly prerelease?: "true";
}

/**
 * A manifest's text with one more version: above the first one that is older, written like its neighbours, everything
 * else as it was but in canonical form.
 * @param text a manifest that the schema accepts
 */
export function addVersion(text: string, entry: NewVersion): string {
  const document = editableDocument(text);
  const versions = document.getIn(["versions"], true);
  if (!isSeq(versions)) throw new TypeError("a manifest without a list of versions passed the schema");
  const node = newDocument(entry).contents;
  const [first] = versions.items;
  if (isMap(node)) node.flow = isMap(first) ? first.flow === true : true;
  const versionOf = (item: unknown): string => {
    const value: unknown = isMap(item) ? item.get("version", true) : undefined;
    return isScalar(value) ? String(value.value) : "";
  };
  const older = versions.items.findIndex((item) => compareVersions(versionOf(item), entry.version) < 0);
  versions.items.splice(older === -1 ? versions.items.length : older, 0, node);
  return documentText(document, text);
}
