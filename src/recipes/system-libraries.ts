import type { Requirement } from "../manifest/manifest.ts";

interface SystemLibrary {
  /** What a linker is told: `-lncurses`. */
  readonly links: readonly string[];
  /** Headers that sources include, the one to look for first. */
  readonly headers: readonly [string, ...string[]];
  /** Names that `find_package` and `pkg_check_modules` use. */
  readonly packages: readonly string[];
}

/** Libraries of the system that programs in use are built with. Which package brings a header is in `plan/remedy-rows.ts`. */
export const SYSTEM_LIBRARIES: readonly SystemLibrary[] = [
  {
    links: ["ncurses", "ncursesw", "curses", "tinfo", "tinfow"],
    headers: ["ncurses.h", "curses.h", "ncursesw/ncurses.h", "ncursesw/curses.h", "term.h"],
    packages: ["Curses", "ncurses", "ncursesw"],
  },
  { links: ["readline"], headers: ["readline/readline.h", "readline/history.h"], packages: ["Readline", "readline"] },
  { links: ["z"], headers: ["zlib.h"], packages: ["ZLIB", "zlib"] },
  { links: ["bz2"], headers: ["bzlib.h"], packages: ["BZip2", "bzip2"] },
  { links: ["lzma"], headers: ["lzma.h"], packages: ["LibLZMA", "liblzma"] },
  { links: ["zstd"], headers: ["zstd.h"], packages: ["zstd", "libzstd", "ZSTD"] },
  { links: ["lz4"], headers: ["lz4.h"], packages: ["lz4", "liblz4", "LZ4"] },
  {
    links: ["ssl", "crypto"],
    headers: ["openssl/ssl.h", "openssl/evp.h", "openssl/sha.h", "openssl/md5.h", "openssl/rand.h"],
    packages: ["OpenSSL", "openssl", "libssl", "libcrypto"],
  },
  { links: ["curl"], headers: ["curl/curl.h"], packages: ["CURL", "libcurl"] },
  {
    links: ["event", "event_core"],
    headers: ["event2/event.h", "event.h"],
    packages: ["Libevent", "libevent", "libevent_core"],
  },
  { links: ["ev"], headers: ["ev.h"], packages: ["libev"] },
  { links: ["uv"], headers: ["uv.h"], packages: ["libuv"] },
  { links: ["sqlite3"], headers: ["sqlite3.h"], packages: ["SQLite3", "sqlite3"] },
  { links: ["pcre2-8", "pcre2"], headers: ["pcre2.h"], packages: ["PCRE2", "libpcre2-8"] },
  { links: ["pcre"], headers: ["pcre.h"], packages: ["PCRE", "libpcre"] },
  { links: ["onig"], headers: ["oniguruma.h"], packages: ["oniguruma"] },
  { links: ["gmp"], headers: ["gmp.h"], packages: ["GMP", "gmp"] },
  { links: ["mpfr"], headers: ["mpfr.h"], packages: ["mpfr", "MPFR"] },
  { links: ["xml2"], headers: ["libxml/parser.h", "libxml/tree.h"], packages: ["LibXml2", "libxml-2.0"] },
  { links: ["yaml"], headers: ["yaml.h"], packages: ["yaml-0.1"] },
  { links: ["expat"], headers: ["expat.h"], packages: ["EXPAT", "expat"] },
  { links: ["jansson"], headers: ["jansson.h"], packages: ["jansson"] },
  { links: ["png", "png16"], headers: ["png.h"], packages: ["PNG", "libpng"] },
  { links: ["jpeg"], headers: ["jpeglib.h"], packages: ["JPEG", "libjpeg"] },
  { links: ["tiff"], headers: ["tiffio.h"], packages: ["TIFF", "libtiff-4"] },
  { links: ["freetype"], headers: ["ft2build.h"], packages: ["Freetype", "freetype2"] },
  { links: ["fontconfig"], headers: ["fontconfig/fontconfig.h"], packages: ["Fontconfig", "fontconfig"] },
  { links: ["X11"], headers: ["X11/Xlib.h"], packages: ["X11", "x11"] },
  { links: ["Xft"], headers: ["X11/Xft/Xft.h"], packages: ["xft"] },
  { links: ["SDL2"], headers: ["SDL2/SDL.h"], packages: ["SDL2", "sdl2"] },
  { links: ["asound"], headers: ["alsa/asoundlib.h"], packages: ["ALSA", "alsa"] },
  { links: ["magic"], headers: ["magic.h"], packages: ["libmagic"] },
  { links: ["archive"], headers: ["archive.h"], packages: ["LibArchive", "libarchive"] },
  { links: ["git2"], headers: ["git2.h"], packages: ["libgit2"] },
  { links: ["ssh2"], headers: ["libssh2.h"], packages: ["libssh2", "Libssh2"] },
  { links: ["usb-1.0"], headers: ["libusb-1.0/libusb.h", "libusb.h"], packages: ["libusb-1.0"] },
  { links: ["pcap"], headers: ["pcap.h", "pcap/pcap.h"], packages: ["libpcap", "PCAP"] },
  { links: ["cap"], headers: ["sys/capability.h"], packages: ["libcap"] },
  { links: ["edit"], headers: ["histedit.h", "editline/readline.h"], packages: ["libedit"] },
  { links: ["lua", "lua5.4", "lua5.3"], headers: ["lua.h"], packages: ["Lua", "lua"] },
  { links: ["sodium"], headers: ["sodium.h"], packages: ["libsodium", "sodium"] },
  { links: ["uuid"], headers: ["uuid/uuid.h"], packages: ["uuid"] },
  { links: ["notmuch"], headers: ["notmuch.h"], packages: ["notmuch"] },
];

export interface FoundLibrary {
  readonly requirement: Requirement;
  /** `Makefile:12 links with -lncurses`. */
  readonly evidence: string;
}

function lineAt(text: string, at: number): number {
  return text.slice(0, at).split("\n").length;
}

/**
 * Libraries of the system that texts of a repository ask for: `-lX` in Makefiles and `#include <x.h>` in sources. One that
 * the repository carries itself (a header of that name in its listing) is none. Pure.
 * @param texts Makefiles and C sources by path
 * @param paths every path of the repository
 */
export function findSystemLibraries(
  texts: Readonly<Record<string, string>>,
  paths: readonly string[],
): readonly FoundLibrary[] {
  const own = new Set(paths.map((path) => path.slice(path.lastIndexOf("/") + 1)));
  const found = new Map<SystemLibrary, FoundLibrary>();
  const linked = new Set<SystemLibrary>();
  const entries = Object.entries(texts);
  for (const [path, text] of entries) {
    if (!/(?:^|\/)(?:GNU)?[Mm]akefile|\.mk$/u.test(path)) continue;
    for (const match of text.matchAll(/(?:^|\s)-l([A-Za-z0-9_+.-]+)/gmu)) {
      const library = SYSTEM_LIBRARIES.find(({ links }) => links.includes(match[1] ?? ""));
      if (library === undefined) continue;
      linked.add(library);
      const evidence = `${path}:${lineAt(text, match.index + 1)} links with -l${match[1]}`;
      if (!found.has(library)) found.set(library, { requirement: headerOf(library.headers[0]), evidence });
    }
  }
  for (const [path, text] of entries) {
    if (!/\.(?:c|h|cc|cpp|cxx|hpp)$/u.test(path)) continue;
    for (const match of text.matchAll(/^[ \t]*#[ \t]*include[ \t]*<([^>\n]+)>/gmu)) {
      const header = match[1] ?? "";
      const library = SYSTEM_LIBRARIES.find(({ headers }) => headers.includes(header));
      // An include alone may stand in code that is left out: only what is linked as well is needed for sure, and then
      // the header that is really asked for is the better one to look for.
      if (library === undefined || !linked.has(library) || own.has(header.slice(header.lastIndexOf("/") + 1))) continue;
      const before = found.get(library)?.evidence;
      if (before?.includes("includes") === true) continue;
      found.set(library, {
        requirement: headerOf(header),
        evidence: `${before === undefined ? "" : `${before}, `}${path}:${lineAt(text, match.index)} includes ${header}`,
      });
    }
  }
  return [...found].flatMap(([library, one]) =>
    library.headers.some((header) => own.has(header.slice(header.lastIndexOf("/") + 1))) ? [] : [one],
  );
}

function headerOf(header: string): Requirement {
  return { header, version: null, for: "build", optional: false, why: null };
}
