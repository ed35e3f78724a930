import type { Host } from "../core/host.ts";

const underWay = new WeakMap<Host, Promise<unknown>>();

/** Do one thing of a machine after the other, whoever asks for it: there is one terminal, and one package manager's lock. */
export async function inTurn<T>(host: Host, work: () => Promise<T>): Promise<T> {
  const before = underWay.get(host) ?? Promise.resolve();
  const mine = before.catch(() => undefined).then(work);
  underWay.set(host, mine);
  return mine;
}
