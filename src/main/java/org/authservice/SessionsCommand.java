package org.authservice;

import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code bin/auth sessions}. */
@Command(
    name = "sessions",
    description = "Lists and ends the sessions of accounts.",
    mixinStandardHelpOptions = true)
final class SessionsCommand {
  @Command(description = "Lists an account's living sessions.", mixinStandardHelpOptions = true)
  int list(@Parameters(paramLabel = "EMAIL") String email) {
    return UsersCommand.withAccount(
        email,
        (administration, account) -> {
          administration
              .sessions(account)
              .forEach(it ->
                  System.out.printf(
                      "%s  last used %s  opened %s from %s  %s%n",
                      it.id(), it.lastUsedAt(), it.createdAt(), it.address(), it.device()));
          return 0;
        });
  }

  @Command(
      description = "Ends one session, or all of an account, on every node.",
      mixinStandardHelpOptions = true)
  int end(@Parameters(paramLabel = "ID|EMAIL") String which) {
    if (which.contains("@")) {
      return UsersCommand.withAccount(
          which,
          (administration, account) -> {
            administration.endSessions(account);
            return Operator.done("all its sessions have ended");
          });
    }
    return UsersCommand.with(administration ->
        administration.endSession(which)
            ? Operator.done("the session has ended")
            : Operator.refused("no living session has this id"));
  }
}
