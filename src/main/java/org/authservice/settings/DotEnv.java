package org.authservice.settings;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The file {@code .env}: {@code NAME=value} lines, with {@code #} comments, an optional {@code
 * export}, and values in single or double quotes; nothing is expanded.
 */
final class DotEnv {
  static final String FILE = ".env";

  private DotEnv() {}

  static Map<String, String> read(Path folder) {
    Path file = folder.resolve(FILE);
    if (!Files.exists(file)) {
      return Map.of();
    }
    try {
      return parse(Files.readString(file));
    } catch (IOException unreadable) {
      throw new StartFailure(
          "Cannot read %s (%s).".formatted(file, unreadable.getMessage()), unreadable);
    }
  }

  static Map<String, String> parse(String text) {
    Map<String, String> values = new LinkedHashMap<>();
    for (String line : text.split("\\R")) {
      String bare = line.strip();
      if (bare.startsWith("export ")) {
        bare = bare.substring("export ".length()).strip();
      }
      int equals = bare.indexOf('=');
      if (equals > 0 && !bare.startsWith("#")) {
        values.put(bare.substring(0, equals).strip(), value(bare.substring(equals + 1).strip()));
      }
    }
    return values;
  }

  private static String value(String text) {
    if (text.length() >= 2 && (text.charAt(0) == '"' || text.charAt(0) == '\'')) {
      int end = text.indexOf(text.charAt(0), 1);
      if (end > 0) {
        return text.substring(1, end);
      }
    }
    int comment = text.indexOf(" #");
    return comment < 0 ? text : text.substring(0, comment).strip();
  }
}
