/* tallycol: what the numbers of one column say. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef VERSION
#define VERSION "unknown"
#endif

static double *values;
static size_t count, room;

static void add(double value) {
  if (count == room) {
    room = room == 0 ? 1024 : room * 2;
    values = realloc(values, room * sizeof *values);
    if (values == NULL) {
      fputs("tallycol: out of memory\n", stderr);
      exit(2);
    }
  }
  values[count++] = value;
}

static int compare(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

/* The value below which a share of the sorted values lies, between two of them where it has to be. */
static double quantile(double share) {
  double at = share * (double)(count - 1);
  size_t below = (size_t)at;
  if (below + 1 >= count) return values[count - 1];
  return values[below] + (at - (double)below) * (values[below + 1] - values[below]);
}

/* The column's text in a line, cut off at its end; NULL when the line is shorter. */
static char *field(char *line, long column, const char *separator) {
  if (separator == NULL) {
    char *word = strtok(line, " \t\r\n");
    for (long at = 1; word != NULL && at < column; at++) word = strtok(NULL, " \t\r\n");
    return word;
  }
  line[strcspn(line, "\r\n")] = '\0';
  for (long at = 1; at < column; at++) {
    line = strstr(line, separator);
    if (line == NULL) return NULL;
    line += strlen(separator);
  }
  char *end = strstr(line, separator);
  if (end != NULL) *end = '\0';
  return line;
}

static int usage(FILE *out, int code) {
  fputs("usage: tallycol [-c COLUMN] [-s SEPARATOR] [-k] < FILE\n"
        "  -c COLUMN     which column, from 1 (1)\n"
        "  -s SEPARATOR  what stands between columns (blanks)\n"
        "  -k            the first line holds names, not numbers\n", out);
  return code;
}

int main(int argc, char **argv) {
  long column = 1;
  const char *separator = NULL;
  int skip = 0;
  for (int at = 1; at < argc; at++) {
    if (strcmp(argv[at], "--version") == 0) {
      puts("tallycol " VERSION);
      return 0;
    }
    if (strcmp(argv[at], "--help") == 0) return usage(stdout, 0);
    if (strcmp(argv[at], "-k") == 0) skip = 1;
    else if (strcmp(argv[at], "-c") == 0 && at + 1 < argc) column = strtol(argv[++at], NULL, 10);
    else if (strcmp(argv[at], "-s") == 0 && at + 1 < argc) separator = argv[++at];
    else return usage(stderr, 2);
  }
  if (column < 1 || (separator != NULL && *separator == '\0')) return usage(stderr, 2);
  char *line = NULL;
  size_t size = 0, skipped = 0;
  while (getline(&line, &size, stdin) != -1) {
    if (skip) {
      skip = 0;
      continue;
    }
    char *text = field(line, column, separator), *end = NULL;
    errno = 0;
    double value = text == NULL ? 0 : strtod(text, &end);
    if (text == NULL || end == text || errno != 0 || !isfinite(value) || end[strspn(end, " \t")] != '\0') skipped++;
    else add(value);
  }
  free(line);
  if (skipped > 0) fprintf(stderr, "tallycol: %zu lines without a number there\n", skipped);
  if (count == 0) {
    fputs("tallycol: no numbers\n", stderr);
    return 1;
  }
  qsort(values, count, sizeof *values, compare);
  double sum = 0, squares = 0;
  for (size_t at = 0; at < count; at++) sum += values[at];
  double mean = sum / (double)count;
  for (size_t at = 0; at < count; at++) squares += (values[at] - mean) * (values[at] - mean);
  printf("count  %zu\nsum    %.10g\nmean   %.10g\n", count, sum, mean);
  printf("dev    %.10g\n", count > 1 ? sqrt(squares / (double)(count - 1)) : 0);
  printf("min    %.10g\nq1     %.10g\nmedian %.10g\nq3     %.10g\nmax    %.10g\n", values[0], quantile(0.25),
         quantile(0.5), quantile(0.75), values[count - 1]);
  free(values);
  return 0;
}
