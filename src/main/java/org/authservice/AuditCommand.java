package org.authservice;

import java.time.Clock;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.authservice.account.Account;
import org.authservice.account.EmailAddress;
import org.authservice.audit.RecordedEvent;
import org.authservice.audit.Seals;
import org.authservice.audit.SecurityEvent;
import org.authservice.audit.SecurityEvents;
import org.authservice.settings.StartFailure;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code bin/auth audit}. */
@Command(
    name = "audit",
    description = "Shows the security events; checks that nobody changed them.",
    mixinStandardHelpOptions = true)
final class AuditCommand {
  private static final Pattern AGO = Pattern.compile("([1-9][0-9]{0,5})([mhd])");

  @Command(description = "Lists events, newest first.", mixinStandardHelpOptions = true)
  int list(
      @Option(names = "--user", paramLabel = "EMAIL|ID", description = "Of this account only.")
          @Nullable String user,
      @Option(
              names = "--since",
              paramLabel = "TIME",
              defaultValue = "24h",
              description = "30m, 24h, 7d, or an RFC 3339 time; default ${DEFAULT-VALUE}.")
          String since,
      @Option(names = "--type", paramLabel = "TYPE", description = "Such as login.")
          @Nullable String type,
      @Option(names = "--limit", defaultValue = "1000", description = "Default ${DEFAULT-VALUE}.")
          int limit) {
    Instant start = start(since, Clock.systemUTC().instant());
    return Operator.offline(service -> {
      var search =
          new SecurityEvents.Search(
              Optional.ofNullable(user).map(it -> userId(service, it)),
              Optional.ofNullable(type).map(AuditCommand::type),
              start,
              Math.clamp(limit, 1, 1_000_000));
      List<RecordedEvent> found = service.events().search(search);
      service.events().record(SecurityEvent.readByOperator("audit list", search.userId()));
      found.forEach(AuditCommand::print);
      return 0;
    });
  }

  @Command(
      description =
          "Compares the events with their seals: nothing edited, deleted, put in or cut off.",
      mixinStandardHelpOptions = true)
  int verify(
      @Option(
              names = "--head",
              paramLabel = "NUMBER:VALUE",
              description = "A head that was printed or logged earlier and must still be there.")
          @Nullable String head) {
    return Operator.offline(service -> {
      Seals.Report report = service.seals().verify(Optional.ofNullable(head));
      System.out.printf(
          "%d events under %d seals up to %s%nhead %s%n",
          report.events(), report.seals(), report.until(), report.head());
      report.findings().forEach(System.err::println);
      String told = report.findings().isEmpty() ? "audit verify" : "audit verify: not whole";
      service.events().record(SecurityEvent.readByOperator(told, Optional.empty()));
      return report.findings().isEmpty() ? 0 : Main.FAILED;
    });
  }

  private static void print(RecordedEvent event) {
    System.out.printf(
        "%s %-22s %-22s user=%s session=%s address=%s id=%s%n",
        event.at(),
        event.type(),
        event.outcome(),
        event.userId().map(String::valueOf).orElse("-"),
        event.sessionId().orElse("-"),
        event.address().isEmpty() ? "-" : event.address(),
        event.id());
  }

  /** By its id an account is found after it was erased, too. */
  private static long userId(AuthService service, String user) {
    if (user.matches("[0-9]{1,18}")) {
      return Long.parseLong(user);
    }
    return EmailAddress.parse(user)
        .flatMap(service.administration()::find)
        .map(Account::id)
        .orElseThrow(() -> new StartFailure("no account has the address " + user));
  }

  private static SecurityEvent.Type type(String name) {
    try {
      return SecurityEvent.Type.valueOf(name.toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException unknown) {
      throw new StartFailure("there is no type " + name + "; for example: --type login");
    }
  }

  private static Instant start(String since, Instant now) {
    Matcher ago = AGO.matcher(since);
    if (ago.matches()) {
      long count = Long.parseLong(ago.group(1));
      return now.minus(
          switch (ago.group(2)) {
            case "m" -> Duration.ofMinutes(count);
            case "h" -> Duration.ofHours(count);
            default -> Duration.ofDays(count);
          });
    }
    try {
      return Instant.parse(since);
    } catch (DateTimeException notATime) {
      throw new StartFailure("--since: " + since + " is not a time; for example: --since 24h");
    }
  }
}
