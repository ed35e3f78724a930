// Known answers. Run by `ctest`.
#include "worddrift.hpp"

#include <iostream>

static int failures = 0;

static std::string show(const std::string &before, const std::string &after) {
  std::string text;
  for (const auto &piece : worddrift::compare(before, after)) {
    const char mark = piece.change == worddrift::Change::kept ? '=' : piece.change == worddrift::Change::removed ? '-' : '+';
    text += std::string(1, mark) + "<" + piece.text + ">";
  }
  return text;
}

static void is(const std::string &found, const std::string &expected) {
  if (found == expected) return;
  std::cerr << "expected " << expected << "\nfound    " << found << "\n";
  failures++;
}

int main() {
  is(show("", ""), "");
  is(show("one two", "one two"), "=<one two>");
  is(show("one two", "one\n two"), "=<one\n two>");
  is(show("a b c", "a x c"), "=<a >-<b>+<x>=< c>");
  is(show("", "new"), "+<new>");
  is(show("old", ""), "-<old>");
  is(show("a b c d", "a d"), "=<a >-<b c >=<d>");
  is(show("the cat sat", "the black cat sat down"), "=<the >+<black >=<cat sat>+< down>");
  return failures == 0 ? 0 : 1;
}
