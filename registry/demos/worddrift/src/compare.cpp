#include "worddrift.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>

namespace worddrift {

namespace {

bool isBlank(char letter) { return std::isspace(static_cast<unsigned char>(letter)) != 0; }

/** A run of blanks is the same as any other: a text that was wrapped anew has not drifted. */
bool same(const std::string &left, const std::string &right) {
  return left == right || (isBlank(left[0]) && isBlank(right[0]));
}

void add(std::vector<Piece> &pieces, Change change, const std::string &text) {
  if (!pieces.empty() && pieces.back().change == change) pieces.back().text += text;
  else pieces.push_back({change, text});
}

}  // namespace

std::vector<std::string> split(const std::string &text) {
  std::vector<std::string> words;
  for (char letter : text) {
    if (words.empty() || isBlank(words.back()[0]) != isBlank(letter)) words.emplace_back();
    words.back() += letter;
  }
  return words;
}

std::vector<Piece> compare(const std::string &before, const std::string &after) {
  const std::vector<std::string> left = split(before), right = split(after);
  std::size_t begin = 0, leftEnd = left.size(), rightEnd = right.size();
  while (begin < leftEnd && begin < rightEnd && same(left[begin], right[begin])) begin++;
  while (leftEnd > begin && rightEnd > begin && same(left[leftEnd - 1], right[rightEnd - 1])) leftEnd--, rightEnd--;
  // Length of the longest common row of words from here on: the table of the well-known algorithm.
  const std::size_t rows = leftEnd - begin, columns = rightEnd - begin;
  std::vector<std::vector<unsigned>> length(rows + 1, std::vector<unsigned>(columns + 1, 0));
  for (std::size_t row = rows; row-- > 0;) {
    for (std::size_t column = columns; column-- > 0;) {
      length[row][column] = same(left[begin + row], right[begin + column])
                                ? length[row + 1][column + 1] + 1
                                : std::max(length[row + 1][column], length[row][column + 1]);
    }
  }
  std::vector<Piece> pieces;
  for (std::size_t at = 0; at < begin; at++) add(pieces, Change::kept, right[at]);
  std::size_t row = 0, column = 0;
  while (row < rows || column < columns) {
    const bool matches = row < rows && column < columns && same(left[begin + row], right[begin + column]);
    if (matches) {
      add(pieces, Change::kept, right[begin + column]);
      row++, column++;
    } else if (column == columns || (row < rows && length[row + 1][column] >= length[row][column + 1])) {
      add(pieces, Change::removed, left[begin + row++]);
    } else {
      add(pieces, Change::added, right[begin + column++]);
    }
  }
  for (std::size_t at = rightEnd; at < right.size(); at++) add(pieces, Change::kept, right[at]);
  return pieces;
}

}  // namespace worddrift
