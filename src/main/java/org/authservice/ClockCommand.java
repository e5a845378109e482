package org.authservice;

import org.authservice.audit.SecurityEvent;
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
    return Operator.withAnyKey(service -> {
      service.clockKeeper().orElseThrow().accept();
      return Operator.acted(
          service,
          SecurityEvent.Type.CLOCK_ACCEPTED,
          "accepted; the nodes follow within a minute and a half");
    });
  }
}
