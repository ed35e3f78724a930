// worddrift: what changed between two texts, word by word.
#include "worddrift.hpp"

#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#ifndef WORDDRIFT_VERSION
#define WORDDRIFT_VERSION "unknown"
#endif

namespace {

/** More words than this would make a table that fills the memory. */
const std::size_t most = 20000;

bool read(const std::string &name, std::string &text) {
  if (name == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
    return true;
  }
  std::ifstream file(name, std::ios::binary);
  text.assign(std::istreambuf_iterator<char>(file), {});
  return file.good() || file.eof();
}

int usage(std::ostream &out, int code) {
  out << "usage: worddrift [--only] OLD NEW\n"
         "  --only  the changes alone, one a line\n"
         "  - is standard input. Exit code: 0 the same, 1 different, 2 trouble\n";
  return code;
}

}  // namespace

int main(int argc, char **argv) {
  std::vector<std::string> names;
  bool only = false;
  for (int at = 1; at < argc; at++) {
    const std::string word = argv[at];
    if (word == "--version") {
      std::cout << "worddrift " WORDDRIFT_VERSION "\n";
      return 0;
    }
    if (word == "--help") return usage(std::cout, 0);
    if (word == "--only") only = true;
    else if (word.size() > 1 && word[0] == '-') return usage(std::cerr, 2);
    else names.push_back(word);
  }
  if (names.size() != 2) return usage(std::cerr, 2);
  std::string before, after;
  for (const auto &part : {std::make_pair(names[0], &before), std::make_pair(names[1], &after)}) {
    if (!read(part.first, *part.second)) {
      std::cerr << "worddrift: cannot read " << part.first << "\n";
      return 2;
    }
    if (worddrift::split(*part.second).size() > 2 * most) {
      std::cerr << "worddrift: " << part.first << " has more than " << most << " words\n";
      return 2;
    }
  }
  bool differs = false;
  for (const auto &piece : worddrift::compare(before, after)) {
    const bool kept = piece.change == worddrift::Change::kept;
    differs = differs || !kept;
    if (kept && only) continue;
    const char *open = kept ? "" : piece.change == worddrift::Change::removed ? "[-" : "{+";
    const char *close = kept ? "" : piece.change == worddrift::Change::removed ? "-]" : "+}";
    std::cout << open << piece.text << close << (only ? "\n" : "");
  }
  return differs ? 1 : 0;
}
