import type { Host, RunningProcess } from "../core/host.ts";
import { type Generation, listGenerationNumbers, readGeneration } from "./generations.ts";
import { type Layout, formatEntryId, parseEntryId } from "./layout.ts";

/** What follows the data home in a path that a running program shows. */
const IN_STORE = /^store\/([^/\s]+)\/([^/\s]+)\//u;
const IN_PROFILE = /^(?:current|profiles\/[0-9]+)\/(?:bin|libexec)\/([^/\s]+)/u;

/** Every place below the data home that a process shows, without the home. */
function placesOf(text: string, data: string): string[] {
  const places: string[] = [];
  const start = `${data}/`;
  for (let at = text.indexOf(start); at !== -1; at = text.indexOf(start, at + 1)) {
    const end = text.indexOf("\n", at);
    places.push(text.slice(at + start.length, end === -1 ? undefined : end));
  }
  return places;
}

async function allGenerations(host: Host, layout: Layout): Promise<Generation[]> {
  const generations: Generation[] = [];
  for (const number of await listGenerationNumbers(host, layout)) {
    const found = await readGeneration(host, layout, number);
    if (found.state === "complete") generations.push(found.generation);
  }
  return generations;
}

/**
 * Store entries that processes use right now. A script that was started through a launcher shows the launcher only, and
 * not of which generation it was: then every entry that provides the command counts as used.
 * @returns entry (`<name>/<folder>`) to the pid of one process that uses it
 */
export async function findEntriesInUse(host: Host, layout: Layout): Promise<ReadonlyMap<string, number>> {
  const generations = await allGenerations(host, layout);
  const inUse = new Map<string, number>();
  const use = ({ pid, text }: RunningProcess): void => {
    for (const place of placesOf(text, layout.data)) {
      const [, name, folder] = IN_STORE.exec(place) ?? [];
      const id = name === undefined ? undefined : parseEntryId(`${name}/${folder}`);
      if (id !== undefined) inUse.set(formatEntryId(id), pid);
      const command = IN_PROFILE.exec(place)?.[1];
      if (command === undefined) continue;
      for (const { entries } of generations) {
        for (const { entry, bins } of entries) if (bins.includes(command)) inUse.set(entry, pid);
      }
    }
  };
  for (const running of host.runningProcesses()) use(running);
  return inUse;
}
