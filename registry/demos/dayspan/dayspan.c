/* dayspan: days between dates, and dates some days away. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calendar.h"

static const char *const names[] = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};

static int usage(FILE *out, int code) {
  fputs("usage: dayspan DATE           weekday and week of a date such as 2026-02-28\n"
        "       dayspan FROM TO        days from one date to another, and how many of them are working days\n"
        "       dayspan DATE +DAYS     the date so many days later (-DAYS: before; +DAYSw: working days)\n", out);
  return code;
}

/* Monday to Friday among the days after `from` up to `to`. */
static long working_days(long from, long to) {
  long count = 0;
  for (long at = from + 1; at <= to; at++) count += weekday(at) <= 5;
  return count;
}

static void print_date(long number) {
  long year;
  int week = iso_week(number, &year);
  struct date date = date_of(number);
  printf("%04ld-%02d-%02d %s %04ld-W%02d\n", date.year, date.month, date.day, names[weekday(number) - 1], year, week);
}

static long move_by(long number, long days, int working) {
  if (!working) return number + days;
  long step = days < 0 ? -1 : 1;
  for (long left = days; left != 0;) {
    number += step;
    if (weekday(number) <= 5) left -= step;
  }
  return number;
}

int main(int argc, char **argv) {
  struct date date, other;
  if (argc == 2 && strcmp(argv[1], "--version") == 0) return puts(PACKAGE_STRING) < 0;
  if (argc == 2 && strcmp(argv[1], "--help") == 0) return usage(stdout, 0);
  if (argc < 2 || argc > 3) return usage(stderr, 2);
  if (!parse_date(argv[1], &date)) {
    fprintf(stderr, "dayspan: %s is no date\n", argv[1]);
    return 2;
  }
  long number = day_number(date);
  if (argc == 2) {
    print_date(number);
    return 0;
  }
  const char *second = argv[2];
  if (*second == '+' || *second == '-') {
    char *end = NULL;
    errno = 0;
    long days = strtol(second, &end, 10);
    int working = *end == 'w';
    int fits = errno == 0 && days > -1000000 && days < 1000000;
    if (end == second || end[working] != '\0' || !fits || number + days * (working ? 2 : 1) < -719000) return usage(stderr, 2);
    print_date(move_by(number, days, working));
    return 0;
  }
  if (!parse_date(second, &other)) {
    fprintf(stderr, "dayspan: %s is no date\n", second);
    return 2;
  }
  long until = day_number(other);
  long working = until >= number ? working_days(number, until) : -working_days(until, number);
  printf("%ld days, %ld working days\n", until - number, working);
  return 0;
}
