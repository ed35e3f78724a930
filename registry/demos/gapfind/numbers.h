#ifndef GAPFIND_NUMBERS_H
#define GAPFIND_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

struct numbers {
  uint64_t *values;
  size_t count, room;
};

/* The last run of digits in a text that fits; 0 when there is none. */
int last_number(const char *text, uint64_t *value);

void add_number(struct numbers *row, uint64_t value);

void sort_numbers(struct numbers *row);

#endif
