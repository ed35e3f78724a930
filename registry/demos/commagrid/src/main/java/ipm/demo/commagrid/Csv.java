package ipm.demo.commagrid;

import java.util.ArrayList;
import java.util.List;

/** Reads comma-separated values as RFC 4180 has them: quoted fields, doubled quotes, line ends inside of quotes. */
final class Csv {
  private Csv() {}

  /** Rows of fields; empty lines are no rows. */
  static List<List<String>> parse(String text, char separator) {
    List<List<String>> rows = new ArrayList<>();
    List<String> row = new ArrayList<>();
    StringBuilder field = new StringBuilder();
    boolean quoted = false;
    for (int at = 0; at < text.length(); at++) {
      char letter = text.charAt(at);
      if (quoted) {
        boolean doubled = letter == '"' && at + 1 < text.length() && text.charAt(at + 1) == '"';
        if (doubled) at++;
        if (letter == '"' && !doubled) quoted = false;
        else field.append(letter);
      } else if (letter == '"' && field.length() == 0) quoted = true;
      else if (letter == separator) end(row, field);
      else if (letter == '\n') {
        if (row.isEmpty() && field.length() == 0) continue;
        end(row, field);
        rows.add(row);
        row = new ArrayList<>();
      } else if (letter != '\r') field.append(letter);
    }
    if (!row.isEmpty() || field.length() > 0) {
      end(row, field);
      rows.add(row);
    }
    return rows;
  }

  private static void end(List<String> row, StringBuilder field) {
    row.add(field.toString());
    field.setLength(0);
  }
}
