package org.authservice.settings;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.authservice.settings.LogSettings.RotatedFile;

/** Reads the settings of the log. */
final class LogSettingsReader {
  private final Source source;
  private final Path folder;

  LogSettingsReader(Source source, Path folder) {
    this.source = source;
    this.folder = folder;
  }

  LogSettings read(boolean production) {
    String level = source.text("LOG_LEVEL").orElse("INFO").toUpperCase(Locale.ROOT);
    if (level.equals("WARNING")) {
      level = "WARN"; // as Python names it
    }
    if (!Set.of("TRACE", "DEBUG", "INFO", "WARN", "ERROR").contains(level)) {
      source.reject("LOG_LEVEL", "it is no level");
    }
    int megabytes = source.number("LOG_FILE_MEGABYTES", 100, 1, 10_000);
    int days = source.number("LOG_FILE_DAYS", 14, 1, 3_650);
    return new LogSettings(
        level,
        source.word("LOG_FORMAT", Map.of("text", false, "json", true), production),
        source
            .text("LOG_FILE")
            .map(file -> new RotatedFile(folder.resolve(file).toAbsolutePath(), megabytes, days)));
  }
}
