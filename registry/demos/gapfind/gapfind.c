/* gapfind: what is missing in a row of numbers. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "numbers.h"

static int usage(FILE *out, int code) {
  fputs("usage: gapfind [-a] [-f FIRST] [-l LAST] < FILE\n"
        "  Reads a row of numbers, the last one of each line (img_0041.jpg is 41), and prints what is missing.\n"
        "  -a        every missing number on a line of its own instead of ranges\n"
        "  -f FIRST  the row begins here instead of at the smallest\n"
        "  -l LAST   the row ends here instead of at the largest\n"
        "Exit code: 0 nothing is missing, 1 something is, 2 trouble\n", out);
  return code;
}

static int bound(const char *text, uint64_t *value) {
  char *end = NULL;
  errno = 0;
  *value = strtoull(text, &end, 10);
  return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0;
}

/* One gap; both ends are missing. */
static void report(uint64_t from, uint64_t to, int all) {
  if (all) {
    for (uint64_t at = from; at <= to; at++) printf("%" PRIu64 "\n", at);
  } else if (from == to) printf("%" PRIu64 "\n", from);
  else printf("%" PRIu64 "-%" PRIu64 "\n", from, to);
}

int main(int argc, char **argv) {
  int all = 0, has_first = 0, has_last = 0;
  uint64_t first = 0, last = 0;
  for (int at = 1; at < argc; at++) {
    if (strcmp(argv[at], "--version") == 0) {
      puts("gapfind " VERSION);
      return 0;
    }
    if (strcmp(argv[at], "--help") == 0) return usage(stdout, 0);
    if (strcmp(argv[at], "-a") == 0) all = 1;
    else if (strcmp(argv[at], "-f") == 0 && at + 1 < argc && bound(argv[at + 1], &first)) has_first = 1, at++;
    else if (strcmp(argv[at], "-l") == 0 && at + 1 < argc && bound(argv[at + 1], &last)) has_last = 1, at++;
    else return usage(stderr, 2);
  }
  struct numbers row = {0};
  char *line = NULL;
  size_t size = 0;
  while (getline(&line, &size, stdin) != -1) {
    uint64_t value;
    if (last_number(line, &value)) add_number(&row, value);
  }
  free(line);
  sort_numbers(&row);
  if (row.count == 0 && !(has_first && has_last)) {
    fputs("gapfind: no numbers\n", stderr);
    return 2;
  }
  uint64_t next = has_first ? first : row.values[0];
  uint64_t end = has_last ? last : row.values[row.count - 1];
  size_t repeated = 0;
  int missing = 0;
  for (size_t at = 0; at < row.count; at++) {
    uint64_t value = row.values[at];
    if (at > 0 && value == row.values[at - 1]) repeated++;
    if (value < next || value > end) continue;
    if (value > next) missing = 1, report(next, value - 1, all);
    next = value + 1;
  }
  if (next <= end) missing = 1, report(next, end, all);
  if (repeated > 0) fprintf(stderr, "gapfind: %zu numbers are there more than once\n", repeated);
  free(row.values);
  return missing;
}
