package org.authservice.testing;

import java.time.Clock;
import java.time.Duration;
import org.authservice.Main;

/** The service on a machine whose clock is wrong. */
public final class SkewedMain {
  /** By how many seconds, in the environment. */
  public static final String SKEW_SECONDS = "TEST_SKEW_SECONDS";

  private SkewedMain() {}

  /** Serves. */
  public static void main(String[] args) {
    long skew = Long.parseLong(System.getenv(SKEW_SECONDS));
    System.exit(Main.serve(Clock.offset(Clock.systemUTC(), Duration.ofSeconds(skew))));
  }
}
