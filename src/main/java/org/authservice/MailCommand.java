package org.authservice;

import java.util.List;
import java.util.Set;
import java.util.function.ToIntFunction;
import org.authservice.mail.MailAdministration;
import org.authservice.settings.StartFailure;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code bin/auth mail}. */
@Command(
    name = "mail",
    description = "Shows the mails on their way, tries them again, drops them.",
    mixinStandardHelpOptions = true)
final class MailCommand {
  private static final Set<String> STATES = Set.of("queued", "sent", "expired", "dead");

  @Command(description = "Lists mails, the newest first.", mixinStandardHelpOptions = true)
  int list(
      @Option(
              names = "--state",
              defaultValue = "queued",
              description = "queued (default), sent, expired or dead")
          String state,
      @Option(names = "--most", defaultValue = "50", description = "how many (default: 50)")
          int most) {
    if (!STATES.contains(state)) {
      throw new StartFailure(state + " is no state; it is one of queued, sent, expired, dead");
    }
    return with(mails -> {
      List<MailAdministration.Listed> listed = mails.list(state, Math.clamp(most, 1, 10_000));
      for (MailAdministration.Listed mail : listed) {
        System.out.printf(
            "%s  %s  to %s, queued %s, tries %d, due %s, expires %s%s%n",
            mail.id(),
            mail.template(),
            mail.recipient(),
            mail.createdAt(),
            mail.attempts(),
            mail.dueAt(),
            mail.expiresAt(),
            mail.reason().map(reason -> ": " + reason).orElse(""));
      }
      System.out.println(listed.size() + " " + state);
      return 0;
    });
  }

  @Command(
      description = "Makes a queued mail due at once; without ID all of them.",
      mixinStandardHelpOptions = true)
  int retry(@Parameters(paramLabel = "ID", arity = "0..1") String id) {
    return with(mails -> {
      if (id == null) {
        return Operator.done(mails.retryAll() + " mail(s) due now");
      }
      return mails.retry(id)
          ? Operator.done("due now")
          : Operator.refused("no queued mail has this id");
    });
  }

  @Command(description = "Ends a queued mail unsent.", mixinStandardHelpOptions = true)
  int drop(@Parameters(paramLabel = "ID") String id) {
    return with(mails ->
        mails.drop(id) ? Operator.done("dropped") : Operator.refused("no queued mail has this id"));
  }

  @Command(
      description = "Sends again to an address whose mail bounced for good.",
      mixinStandardHelpOptions = true)
  int allow(@Parameters(paramLabel = "EMAIL") String email) {
    return with(mails ->
        mails.lift(email)
            ? Operator.done("mail is sent there again")
            : Operator.refused("it was not suppressed"));
  }

  private static int with(ToIntFunction<MailAdministration> work) {
    return Operator.offline(service -> work.applyAsInt(service.mails()));
  }
}
