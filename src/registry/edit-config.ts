import path from "node:path";
import { isMap, isScalar, isSeq, parseDocument, type Document } from "yaml";
import { parseConfig } from "./registry-config.ts";
import type { ConfiguredRegistry } from "./read-config.ts";
import type { RegistryContext } from "./registry-context.ts";
import { configFile } from "./registry-places.ts";

const HEADER = "# ipm's configuration. `ipm registry add` and `remove` edit this file and keep its comments.\n";

/**
 * Change `config.yaml`, comments and order kept, old content or new content whatever happens. One editor at a time.
 * @throws IpmError CONFIG_INVALID when the file is not valid as it is; it is not touched then
 */
async function editConfig(context: RegistryContext, edit: (document: Document) => void): Promise<void> {
  const { files } = context.host;
  const file = configFile(context);
  await context.lock("config", async () => {
    const text = (await files.readText(file)) ?? "";
    parseConfig(text, file);
    const document = parseDocument(text);
    edit(document);
    const edited = document.toString({ lineWidth: 0 });
    // What was written must be what will be read.
    parseConfig(edited, file);
    await files.createFolder(path.dirname(file));
    // People keep such files elsewhere and link to them: the link stays.
    await files.writeDurably((await files.realPath(file)) ?? file, text === "" ? `${HEADER}${edited}` : edited);
  });
}

/** Add a registry at the end of the list. */
export async function addToConfig(context: RegistryContext, registry: ConfiguredRegistry): Promise<void> {
  const { id, kind, location, mirrors = [] } = registry;
  const key = { git: "url", folder: "folder", static: "static" }[kind];
  await editConfig(context, (document) => {
    const item = document.createNode({ id, [key]: location, ...(mirrors.length === 0 ? {} : { mirrors }) });
    const list = document.get("registries");
    if (isSeq(list)) list.add(item);
    else document.set("registries", document.createNode([item]));
  });
}

/** Take a registry out of the list. An empty list stays: the comments of the key would go with it. */
export async function removeFromConfig(context: RegistryContext, id: string): Promise<void> {
  await editConfig(context, (document) => {
    const list = document.get("registries");
    if (!isSeq(list)) return;
    const at = list.items.findIndex((item) => {
      const value = isMap(item) ? item.get("id", true) : undefined;
      // The text as written: an id `1.10` is no number here either.
      return isScalar(value) && value.source === id;
    });
    if (at >= 0) list.delete(at);
  });
}
