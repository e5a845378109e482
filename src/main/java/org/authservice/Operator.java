package org.authservice;

import java.nio.file.Files;
import java.time.Clock;
import java.util.function.ToIntFunction;
import org.authservice.audit.SecurityEvent;
import org.authservice.operations.DatabaseClock;
import org.authservice.secret.Secrets;
import org.authservice.settings.DatabaseSettings;
import org.authservice.settings.StartFailure;

/** What the operator's commands have in common. */
final class Operator {
  private Operator() {}

  /** Works with the features, without a listener, and returns the exit code. */
  static int offline(ToIntFunction<AuthService> work) {
    return withAnyKey(service -> {
      service
          .lack()
          .ifPresent(lack -> {
            throw new StartFailure(lack);
          });
      return work.applyAsInt(service);
    });
  }

  /** The same for what is allowed, and needed, while a secret key is missing here. */
  static int withAnyKey(ToIntFunction<AuthService> work) {
    var settings = Main.read().settings();
    if (settings.database().location() instanceof DatabaseSettings.Sqlite(var file, var _)
        && !Files.exists(file)) {
      throw new StartFailure(
          "there is no database %s: run this in the service's folder and with its settings, or make"
                  .formatted(file)
              + " one with bin/auth migrate");
    }
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

  /** The same, and that the operator did it is recorded. */
  static int acted(AuthService service, SecurityEvent.Type act, String message) {
    service.events().record(SecurityEvent.byOperator(act));
    return done(message);
  }

  /** It is not, and why. */
  static int refused(String message) {
    System.err.println(message);
    return Main.FAILED;
  }
}
