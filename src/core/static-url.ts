const LOOPBACK = new Set(["127.0.0.1", "[::1]", "localhost"]);

/**
 * The URL of a static registry in normal form, without a slash at its end, or undefined for what is none: https, or http to
 * this machine itself; no password, query or fragment.
 */
export function staticUrl(typed: string): string | undefined {
  if (!/^https?:\/\//u.test(typed) || !URL.canParse(typed)) return undefined;
  const url = new URL(typed);
  const isOpen = url.protocol === "http:" && LOOPBACK.has(url.hostname);
  if ((url.protocol !== "https:" && !isOpen) || url.username !== "" || url.password !== "") return undefined;
  if (url.search !== "" || url.hash !== "") return undefined;
  return url.href.replace(/\/+$/u, "");
}
