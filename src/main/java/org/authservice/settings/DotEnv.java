package org.authservice.settings;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The file {@code .env}: {@code NAME=value} lines, with {@code #} comments (after a blank, when
 * behind a value) and an optional {@code export}. A value in single quotes is taken as it stands;
 * in double quotes, {@code \n \r \t \" \\} are escapes; both may go over several lines. Nothing is
 * expanded.
 */
final class DotEnv {
  static final String FILE = ".env";

  private final String text;
  private final Map<String, String> values = new LinkedHashMap<>();
  private final List<String> warnings = new ArrayList<>();
  private int at;

  private DotEnv(String text) {
    String unmarked = text.startsWith("\uFEFF") ? text.substring(1) : text;
    this.text = unmarked.replace("\r\n", "\n").replace('\r', '\n');
  }

  /** What the file says, and what in it says nothing. */
  record Content(Map<String, String> values, List<String> warnings) {}

  /**
   * Reads the file of a folder, which may be absent.
   *
   * @throws StartFailure when it cannot be read, or a quote in it is not closed
   */
  static Content read(Path folder) {
    Path file = folder.resolve(FILE);
    try {
      return parse(Files.readString(file));
    } catch (NoSuchFileException absent) {
      return new Content(Map.of(), List.of());
    } catch (IOException unreadable) {
      throw new StartFailure(
          "Cannot read %s as UTF-8 text (%s).".formatted(file, unreadable.getMessage()),
          unreadable);
    }
  }

  static Content parse(String text) {
    var file = new DotEnv(text);
    while (file.at < file.text.length()) {
      file.line();
    }
    return new Content(file.values, file.warnings);
  }

  private void line() {
    int start = at;
    int end = endOfLine();
    int equals = text.indexOf('=', at);
    String name = text.substring(at, equals < 0 || equals > end ? end : equals).strip();
    if (name.startsWith("export ")) {
      name = name.substring("export ".length()).strip();
    }
    if (name.isEmpty() || name.startsWith("#")) {
      at = end + 1;
    } else if (equals < 0 || equals > end || !name.matches("[A-Za-z_][A-Za-z0-9_.-]*")) {
      warnings.add(FILE + ": line " + number(start) + " is not NAME=value and says nothing");
      at = end + 1;
    } else {
      at = equals + 1;
      if (values.put(name, value(start)) != null) {
        warnings.add(FILE + ": " + name + " is there more than once; the last one counts");
      }
      at = endOfLine() + 1;
    }
  }

  private String value(int start) {
    int before = at;
    while (at < text.length() && isBlank(text.charAt(at))) {
      at++;
    }
    if (at < text.length() && (text.charAt(at) == '"' || text.charAt(at) == '\'')) {
      return quoted(text.charAt(at), start);
    }
    // "A= # nothing" is a comment, "A=#1" a value.
    int end = endOfLine();
    int comment = at > before && at < end && text.charAt(at) == '#' ? at : at + 1;
    while (comment < end && !(text.charAt(comment) == '#' && isBlank(text.charAt(comment - 1)))) {
      comment++;
    }
    return text.substring(at, Math.min(comment, end)).strip();
  }

  private String quoted(char quote, int start) {
    var value = new StringBuilder();
    for (at++; at < text.length() && text.charAt(at) != quote; at++) {
      char c = text.charAt(at);
      if (c == '\\' && quote == '"' && at + 1 < text.length()) {
        at++;
        value.append(unescaped(text.charAt(at)));
      } else {
        value.append(c);
      }
    }
    if (at >= text.length()) {
      throw new StartFailure(
          "%s: the quote that line %d opens is never closed.".formatted(FILE, number(start)));
    }
    at++;
    return value.toString();
  }

  private static String unescaped(char c) {
    return switch (c) {
      case 'n' -> "\n";
      case 'r' -> "\r";
      case 't' -> "\t";
      case '"', '\\', '\'' -> String.valueOf(c);
      default -> "\\" + c;
    };
  }

  private static boolean isBlank(char c) {
    return c == ' ' || c == '\t';
  }

  private int endOfLine() {
    int end = text.indexOf('\n', at);
    return end < 0 ? text.length() : end;
  }

  private long number(int start) {
    return 1 + text.substring(0, start).chars().filter(c -> c == '\n').count();
  }
}
