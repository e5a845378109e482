package org.authservice;

import java.time.Clock;
import java.util.function.ToIntFunction;
import org.authservice.operations.DatabaseClock;
import org.authservice.secret.Secrets;

/** What the operator's commands have in common. */
final class Operator {
  private Operator() {}

  /** Works with the features, without a listener, and returns the exit code. */
  static int offline(ToIntFunction<AuthService> work) {
    var settings = Main.read().settings();
    var clock = new DatabaseClock(Clock.systemUTC());
    try (AuthService service = AuthService.offline(settings, clock, Secrets.secure())) {
      return work.applyAsInt(service);
    }
  }

  /** What was asked for is so now. */
  static int done(String message) {
    System.out.println(message);
    return 0;
  }

  /** It is not, and why. */
  static int refused(String message) {
    System.err.println(message);
    return Main.FAILED;
  }
}
