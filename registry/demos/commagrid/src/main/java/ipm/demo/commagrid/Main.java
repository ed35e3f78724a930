package ipm.demo.commagrid;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** commagrid: CSV as a table to read. */
public final class Main {
  private static final String USAGE = "usage: commagrid [-m] [-s SEPARATOR] [FILE]\n"
      + "  -m            a table for Markdown\n"
      + "  -s SEPARATOR  what stands between fields, one character or \\t (,)\n"
      + "Without FILE, or for -, standard input is read.";

  private Main() {}

  public static void main(String[] words) throws IOException {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    boolean markdown = false;
    char separator = ',';
    String file = "-";
    for (int at = 0; at < words.length; at++) {
      String word = words[at];
      if (word.equals("--version")) {
        out.println("commagrid " + Main.class.getPackage().getImplementationVersion());
        return;
      }
      if (word.equals("--help")) {
        out.println(USAGE);
        return;
      }
      if (word.equals("-m")) markdown = true;
      else if (word.equals("-s") && at + 1 < words.length && words[at + 1].replace("\\t", "\t").length() == 1)
        separator = words[++at].replace("\\t", "\t").charAt(0);
      else if (word.length() > 1 && word.startsWith("-")) fail(USAGE);
      else file = word;
    }
    String text = null;
    try (InputStream in = file.equals("-") ? System.in : Files.newInputStream(Path.of(file))) {
      text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException error) {
      fail("commagrid: cannot read " + file);
    }
    List<List<String>> rows = Csv.parse(text, separator);
    if (rows.isEmpty()) fail("commagrid: no rows");
    Grid grid = new Grid(rows);
    (markdown ? grid.markdown() : grid.plain()).forEach(out::println);
  }

  private static void fail(String message) {
    System.err.println(message);
    System.exit(2);
  }
}
