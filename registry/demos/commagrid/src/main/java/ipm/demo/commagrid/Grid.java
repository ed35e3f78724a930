package ipm.demo.commagrid;

import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** A table with columns of equal width; numbers stand on the right. */
final class Grid {
  private static final Pattern NUMBER = Pattern.compile("[-+]?[0-9][0-9,._]*%?");

  private final List<List<String>> rows;
  private final int[] widths;
  private final boolean[] numeric;

  Grid(List<List<String>> rows) {
    this.rows = rows;
    int columns = rows.stream().mapToInt(List::size).max().orElse(0);
    widths = IntStream.range(0, columns).map(at -> Math.max(3, rows.stream().mapToInt(row -> width(cell(row, at))).max().orElse(0))).toArray();
    numeric = new boolean[columns];
    for (int at = 0; at < columns; at++) {
      int column = at;
      numeric[at] = rows.size() > 1 && rows.stream().skip(1).map(row -> cell(row, column)).allMatch(text -> text.isEmpty() || NUMBER.matcher(text).matches());
    }
  }

  /** Lines of a table for Markdown; a bar in a cell is escaped. */
  List<String> markdown() {
    return lines("| ", " | ", " |", "|");
  }

  /** Lines of a table for a terminal. */
  List<String> plain() {
    return lines("", "  ", "", "");
  }

  private List<String> lines(String begin, String between, String end, String corner) {
    String rule = corner.isEmpty()
        ? IntStream.of(widths).mapToObj("-"::repeat).collect(Collectors.joining(between))
        : IntStream.range(0, widths.length).mapToObj(at -> " " + "-".repeat(widths[at] - 1) + (numeric[at] ? ":" : "-") + " ").collect(Collectors.joining(corner, corner, corner));
    List<String> lines = rows.stream()
        .map(row -> IntStream.range(0, widths.length).mapToObj(at -> pad(cell(row, at), at)).collect(Collectors.joining(between, begin, end)))
        .map(String::stripTrailing)
        .collect(Collectors.toList());
    if (!lines.isEmpty()) lines.add(1, rule);
    return lines;
  }

  private String pad(String text, int column) {
    String blanks = " ".repeat(Math.max(0, widths[column] - width(text)));
    return numeric[column] ? blanks + text : text + blanks;
  }

  private static String cell(List<String> row, int at) {
    return at < row.size() ? row.get(at).replaceAll("\\s+", " ").strip().replace("|", "\\|") : "";
  }

  private static int width(String text) {
    return text.codePointCount(0, text.length());
  }
}
