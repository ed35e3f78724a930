import path from "node:path";
import type { LocalAddress } from "../core/host.ts";

/** What a service is, as far as ipm knows. `{env:NAME}` at the start of a socket's path is that variable of the caller. */
export interface KnownService {
  /** The ports of 127.0.0.1 and ::1, and the sockets, that it answers at by default; one of them is enough. */
  readonly ports: readonly number[];
  readonly sockets: readonly string[];
  /** How it is usually started, for people. */
  readonly start: string;
}

/**
 * The services that a manifest can name without an address, each with the addresses of its own documentation. One that is
 * set up otherwise is required by its address.
 */
export const KNOWN_SERVICES = {
  // docs.docker.com/reference/cli/dockerd; Docker Desktop and rootless Docker have their socket elsewhere
  docker: {
    ports: [],
    sockets: [
      "/var/run/docker.sock",
      "/run/docker.sock",
      "{env:HOME}/.docker/run/docker.sock",
      "{env:XDG_RUNTIME_DIR}/docker.sock",
    ],
    start: "start Docker (systemctl start docker, or Docker Desktop)",
  },
  // docs.podman.io: podman-system-service(1)
  podman: {
    ports: [],
    sockets: ["/run/podman/podman.sock", "{env:XDG_RUNTIME_DIR}/podman/podman.sock"],
    start: "start its socket: systemctl --user start podman.socket",
  },
  // postgresql.org/docs/current/runtime-config-connection.html
  postgresql: {
    ports: [5432],
    sockets: ["/run/postgresql/.s.PGSQL.5432", "/var/run/postgresql/.s.PGSQL.5432", "/tmp/.s.PGSQL.5432"],
    start: "start PostgreSQL (systemctl start postgresql, or brew services start postgresql)",
  },
  // dev.mysql.com/doc/refman: server system variables `port` and `socket`; MariaDB answers at the same
  mysql: {
    ports: [3306],
    sockets: ["/run/mysqld/mysqld.sock", "/var/run/mysqld/mysqld.sock", "/tmp/mysql.sock"],
    start: "start MySQL or MariaDB (systemctl start mysql, or brew services start mysql)",
  },
  // redis.io/docs/latest/operate/oss_and_stack/management/config; Valkey answers at the same
  redis: { ports: [6379], sockets: [], start: "start Redis or Valkey (systemctl start redis, or redis-server)" },
  // mongodb.com/docs/manual/reference/default-mongodb-port
  mongodb: { ports: [27_017], sockets: [], start: "start MongoDB (systemctl start mongod)" },
  // docs.ollama.com/faq
  ollama: { ports: [11_434], sockets: [], start: "start Ollama (ollama serve)" },
} as const satisfies Readonly<Record<string, KnownService>>;

export type ServiceName = keyof typeof KNOWN_SERVICES;

export function isServiceName(text: string): text is ServiceName {
  return Object.hasOwn(KNOWN_SERVICES, text);
}

/** Folders in which a manifest may name a socket: where services put theirs, and nothing of a user's own. */
const SOCKET = /^(?:\/run|\/var\/run|\/tmp)\/[A-Za-z0-9._@/-]{0,89}[A-Za-z0-9._@-]$/u;
const PORT = /^(localhost|127\.0\.0\.1|\[::1\]):([1-9][0-9]{0,4})$/u;

/**
 * The addresses that a text means: a known name, `localhost:PORT` (127.0.0.1 and ::1 are tried), or a socket below /run,
 * /var/run or /tmp. Other machines are nothing that a manifest may have asked.
 * @param env the caller's variables, for known places; one that is not set leaves its place out
 * @returns undefined when the text is none of these
 */
export function serviceAddresses(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
): readonly LocalAddress[] | undefined {
  if (isServiceName(text)) {
    const { ports, sockets }: KnownService = KNOWN_SERVICES[text];
    return [
      ...ports.flatMap((port) => bothHosts(port)),
      ...sockets.flatMap((place): LocalAddress[] => {
        const [, name, rest] = /^\{env:([A-Z_]+)\}(\/.*)$/u.exec(place) ?? [];
        if (name === undefined) return [{ kind: "socket", path: place }];
        const folder = env[name] ?? "";
        return folder.startsWith("/") ? [{ kind: "socket", path: `${folder}${rest ?? ""}` }] : [];
      }),
    ];
  }
  const [, host, digits] = PORT.exec(text) ?? [];
  if (host !== undefined) {
    const port = Number(digits);
    if (port > 65_535) return undefined;
    if (host === "localhost") return bothHosts(port);
    return [{ kind: "port", host: host === "127.0.0.1" ? "127.0.0.1" : "::1", port }];
  }
  return SOCKET.test(text) && path.posix.normalize(text) === text ? [{ kind: "socket", path: text }] : undefined;
}

function bothHosts(port: number): readonly LocalAddress[] {
  return [
    { kind: "port", host: "127.0.0.1", port },
    { kind: "port", host: "::1", port },
  ];
}
