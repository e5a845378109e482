package org.authservice.testing;

import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.authservice.AuthService;
import org.authservice.operations.DatabaseClock;
import org.authservice.operations.Logging;
import org.authservice.secret.Secrets;
import org.authservice.settings.SettingsReader;

/** The service, cleaning up again and again instead of once a minute. */
public final class CleaningMain {
  private CleaningMain() {}

  /** Serves until it is killed. */
  public static void main(String[] args) {
    Path folder = Path.of("").toAbsolutePath();
    var settings = SettingsReader.read(System.getenv(), folder, Secrets.secure()).settings();
    Logging.configure(settings.logs());
    var clock = new DatabaseClock(Clock.systemUTC());
    AuthService service = AuthService.start(settings, folder, clock, Secrets.secure());
    System.out.println("Listening:   " + service.publicBaseUrl());
    while (true) {
      service.worker("clean-up").runOnce();
      LockSupport.parkNanos(Duration.ofMillis(50).toNanos());
    }
  }
}
