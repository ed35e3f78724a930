#pragma once

#include <string>
#include <vector>

namespace worddrift {

enum class Change { kept, removed, added };

struct Piece {
  Change change;
  std::string text;
};

/** Cut a text into words and the blanks between them; nothing is lost. */
std::vector<std::string> split(const std::string &text);

/** What became of the words of one text in another: the fewest removals and additions, removals first. */
std::vector<Piece> compare(const std::string &before, const std::string &after);

}  // namespace worddrift
