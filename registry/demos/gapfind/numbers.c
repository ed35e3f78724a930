#include "numbers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int last_number(const char *text, uint64_t *value) {
  size_t end = strlen(text);
  while (end > 0 && (text[end - 1] < '0' || text[end - 1] > '9')) end--;
  size_t begin = end;
  while (begin > 0 && text[begin - 1] >= '0' && text[begin - 1] <= '9') begin--;
  if (begin == end || end - begin > 18) return 0;
  *value = strtoull(text + begin, NULL, 10);
  return 1;
}

void add_number(struct numbers *row, uint64_t value) {
  if (row->count == row->room) {
    row->room = row->room == 0 ? 1024 : row->room * 2;
    row->values = realloc(row->values, row->room * sizeof *row->values);
    if (row->values == NULL) {
      fputs("gapfind: out of memory\n", stderr);
      exit(2);
    }
  }
  row->values[row->count++] = value;
}

static int compare(const void *left, const void *right) {
  uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
  return (a > b) - (a < b);
}

void sort_numbers(struct numbers *row) {
  if (row->count > 0) qsort(row->values, row->count, sizeof *row->values, compare);
}
