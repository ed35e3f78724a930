#include "calendar.h"

#include <stdio.h>

static int is_leap(long year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

static int days_in(long year, int month) {
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

int parse_date(const char *text, struct date *date) {
  int used = 0;
  if (sscanf(text, "%4ld-%2d-%2d%n", &date->year, &date->month, &date->day, &used) != 3 || text[used] != '\0') return 0;
  if (used != 10 || date->year < 1 || date->month < 1 || date->month > 12) return 0;
  return date->day >= 1 && date->day <= days_in(date->year, date->month);
}

/* Days before a year, counted from the first of January of the year 1. */
static long days_before(long year) {
  long past = year - 1;
  return past * 365 + past / 4 - past / 100 + past / 400;
}

static const long epoch = 719162;

long day_number(struct date date) {
  long number = days_before(date.year) + date.day - 1 - epoch;
  for (int month = 1; month < date.month; month++) number += days_in(date.year, month);
  return number;
}

struct date date_of(long number) {
  long days = number + epoch;
  struct date date = {days / 366 + 1, 1, 1};
  while (days_before(date.year + 1) <= days) date.year++;
  days -= days_before(date.year);
  while (days >= days_in(date.year, date.month)) days -= days_in(date.year, date.month++);
  date.day = (int)days + 1;
  return date;
}

int weekday(long number) { return (int)(((number + 3) % 7 + 7) % 7) + 1; }

int iso_week(long number, long *year) {
  long thursday = number - weekday(number) + 4;
  *year = date_of(thursday).year;
  struct date first = {*year, 1, 1};
  return (int)((thursday - day_number(first)) / 7) + 1;
}
