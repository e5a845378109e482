package org.authservice.settings;

import java.nio.file.Path;
import java.util.Optional;

/**
 * The log.
 *
 * @param level {@code LOG_LEVEL}, as Logback names it
 * @param json whether {@code LOG_FORMAT} is {@code json}
 * @param file where it is written beside the standard output
 */
public record LogSettings(String level, boolean json, Optional<RotatedFile> file) {

  /**
   * A log file that a new one takes the place of each day, and when it is full.
   *
   * @param path {@code LOG_FILE}, absolute
   * @param megabytes {@code LOG_FILE_MEGABYTES}, when one is full
   * @param days {@code LOG_FILE_DAYS}, how long the former ones are kept
   */
  public record RotatedFile(Path path, int megabytes, int days) {}
}
