import type { Host } from "../core/host.ts";

const underWay = new WeakMap<Host, Map<string, Promise<unknown>>>();

/**
 * Do one thing of a machine after the other, whoever of this process asks for it.
 * @param what what there is one of: the terminal and the package manager, or a file that is locked
 */
export async function inTurn<T>(host: Host, what: string, work: () => Promise<T>): Promise<T> {
  const turns = underWay.get(host) ?? new Map<string, Promise<unknown>>();
  underWay.set(host, turns);
  const before = turns.get(what) ?? Promise.resolve();
  const mine = before.catch(() => undefined).then(work);
  turns.set(what, mine);
  return mine;
}
