#ifndef DAYSPAN_CALENDAR_H
#define DAYSPAN_CALENDAR_H

struct date {
  long year;
  int month, day;
};

/* `2026-02-28` to a date; 0 for anything that is no day of the calendar. */
int parse_date(const char *text, struct date *date);

/* Days since 1970-01-01 of the Gregorian calendar, before it too. */
long day_number(struct date date);

struct date date_of(long number);

/* 1 Monday to 7 Sunday. */
int weekday(long number);

/* The week of ISO 8601, and the year that it belongs to. */
int iso_week(long number, long *year);

#endif
