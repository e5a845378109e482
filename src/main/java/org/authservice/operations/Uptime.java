package org.authservice.operations;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * How long the machine has been up, sleep included, which {@link System#nanoTime} leaves out: a
 * laptop that wakes up, or a machine that was paused, has not seen its database's clock jump.
 */
final class Uptime {
  private static final Path FILE = Path.of("/proc/uptime");

  private Uptime() {}

  /** The time since the machine started; empty where it cannot be told. */
  static Optional<Duration> read() {
    try {
      String text = Files.readString(FILE);
      double seconds = Double.parseDouble(text.substring(0, text.indexOf(' ')));
      return Optional.of(Duration.ofMillis((long) (seconds * 1000)));
    } catch (IOException | RuntimeException unknown) {
      return Optional.empty();
    }
  }
}
