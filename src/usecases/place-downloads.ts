import path from "node:path";
import type { Plan } from "../plan/plan.ts";
import { fetchDownload } from "../source/fetch-download.ts";
import type { StoreContext } from "../store/store-context.ts";

/** Fetch and check the downloads of a plan, and copy them to where its steps find them: `ipm-downloads` below TMPDIR. */
export async function placeDownloads(store: StoreContext, plan: Plan, tmp: string, offline: boolean): Promise<void> {
  const { host } = store;
  const tool = `${plan.tool.name}@${plan.tool.version}`;
  const folder = path.join(tmp, "ipm-downloads");
  for (const download of plan.what.downloads ?? []) {
    const cached = await fetchDownload(store, download, { tool, offline });
    await host.files.createFolder(folder);
    const place = path.join(folder, download.file);
    await host.files.remove(place);
    // A copy: steps can write theirs, and the cache's stays what it was checked to be.
    await host.files.copyFile(cached, place);
    await host.files.setMode(place, 0o644);
  }
}
