import net from "node:net";
import type { CanConnect } from "../core/host.ts";

/** A connection of this process, opened and closed again at once; nothing is sent and nothing is read. */
export const canConnect: CanConnect = (address, timeoutMs) =>
  new Promise((resolve) => {
    const socket = net.connect(
      address.kind === "socket" ? { path: address.path } : { host: address.host, port: address.port },
    );
    const settle = (answers: boolean): void => {
      socket.destroy();
      resolve(answers);
    };
    socket.setTimeout(timeoutMs, () => settle(false));
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
  });
