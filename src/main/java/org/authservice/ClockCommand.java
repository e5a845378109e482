package org.authservice;

import java.time.Clock;
import org.authservice.operations.DatabaseClock;
import org.authservice.secret.Secrets;
import picocli.CommandLine.Command;

/** {@code bin/auth clock}. */
@Command(
    name = "clock",
    description = "The database's time, which all nodes keep.",
    mixinStandardHelpOptions = true)
final class ClockCommand {
  @Command(
      description = "Lets all nodes take over a step of the database's clock that they refused.",
      mixinStandardHelpOptions = true)
  int accept() {
    var clock = new DatabaseClock(Clock.systemUTC());
    try (var service = AuthService.offline(Main.read().settings(), clock, Secrets.secure())) {
      service.clockKeeper().orElseThrow().accept();
    }
    System.out.println("accepted; the nodes follow within a minute and a half");
    return 0;
  }
}
