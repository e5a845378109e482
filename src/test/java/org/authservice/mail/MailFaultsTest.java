package org.authservice.mail;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.authservice.mail.UnreliableSmtp.Mood;
import org.authservice.testing.Databases;
import org.authservice.testing.LogLines;
import org.authservice.testing.TestClock;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Whatever the mail server does: requests stay quick, and each mail's end is accounted for. */
@ParameterizedClass
@EnumSource(Databases.class)
class MailFaultsTest {
  private static final boolean SHORT = Boolean.getBoolean("soak.short");
  private static final Duration STEP = Duration.ofSeconds(31); // longer than any breaker waits
  private static final Pattern END = Pattern.compile("mail ([0-9a-f]+) .* is (sent|expired|dead)");
  private static final Pattern METRIC =
      Pattern.compile("auth_mail_total\\{outcome=\"(sent|expired|dead)\"} ([0-9.]+)");

  @Parameter Databases engine = Databases.SQLITE;
  private final TestClock clock = new TestClock();
  private final AtomicInteger users = new AtomicInteger();
  private UnreliableSmtp smtp;
  private LogLines log;

  @BeforeEach
  void startSmtp() {
    smtp = new UnreliableSmtp(clock);
    log = new LogLines("org.authservice.mail", Level.INFO);
  }

  @AfterEach
  void stopSmtp() {
    log.close();
    smtp.close();
  }

  @Test
  void aServerThatIsDownForTenMinutesCostsOnlyTheMailsThatExpired() {
    tenMinutesDown(2);
  }

  @Test
  @Tag("soak")
  void aServerThatIsDownForTenMinutesUnderLoadCostsOnlyTheMailsThatExpired() {
    tenMinutesDown(SHORT ? 20 : 200);
  }

  @Test
  void mailsThatAServerPutsOffAreSentLater() {
    assertThat(storm(Mood.PUTS_OFF, 6)).containsOnlyKeys("sent");
  }

  @Test
  void mailsThatAServerRefusesAreDead() {
    assertThat(storm(Mood.REFUSES, 6)).containsKeys("dead", "sent");
  }

  @Test
  void mailsWhoseReplyIsLostAreSentAgainUnderTheSameId() {
    storm(Mood.RESETS_AFTER_DATA, 6);

    assertThat(smtp.taken).anyMatch(mail -> mail.mood() == Mood.RESETS_AFTER_DATA);
  }

  @Test
  void mailsOfConnectionsThatCloseAreSentLater() {
    assertThat(storm(Mood.HANGS_UP, 6)).containsOnlyKeys("sent");
  }

  @Test
  void aTarpitHoldsNobodyUp() {
    assertThat(storm(Mood.TARPIT, 4)).containsOnlyKeys("sent");
  }

  @Test
  void aSilentServerHoldsNobodyUp() {
    assertThat(storm(Mood.SILENT, 4)).containsOnlyKeys("sent");
  }

  @Test
  void aServerThatTakesItsTimeGetsNoMailAfterItsLife() {
    smtp.mood = Mood.PUTS_OFF;
    try (var service = start("none")) {
      ask(service, 1);
      service.service().worker("mail").runOnce();
      clock.advance(Duration.ofMinutes(10).minusSeconds(2));
      smtp.mood = Mood.TARPIT;
      long before = System.nanoTime();
      service.service().worker("mail").runOnce();

      assertThat(Duration.ofNanos(System.nanoTime() - before))
          .as("two seconds were left, not the ten that a wait may last")
          .isLessThan(Duration.ofSeconds(8));
      clock.advance(Duration.ofSeconds(2));
      smtp.mood = Mood.FINE;
      drain(service);
      assertThat(accounted(service)).containsOnlyKeys("expired");
      assertThat(smtp.taken).isEmpty();
    }
  }

  @Test
  void aServerThatRefusesTlsGetsNoMail() {
    refusesTls(3);
  }

  @Test
  @Tag("soak")
  void generateOtpStaysFastWhileTheServerRefusesTls() {
    refusesTls(SHORT ? 100 : 1000);
  }

  private void refusesTls(int requests) {
    smtp.close();
    smtp = new UnreliableSmtp(clock, UnreliableSmtp.Tls.STARTTLS, java.util.Optional.empty());
    smtp.mood = Mood.REFUSES_TLS;
    try (var service = start("starttls")) {
      ask(service, requests);
      drain(service);

      assertThat(accounted(service)).containsOnlyKeys("expired");
      assertThat(smtp.recipients).hasValue(0);
    }
  }

  @Test
  @Tag("soak")
  void generateOtpStaysFastWhateverTheServerDoes() {
    for (Mood mood : Mood.values()) {
      smtp.taken.clear();
      if (mood != Mood.REFUSES_TLS && mood != Mood.GREETS_LATE) {
        storm(mood, SHORT ? 100 : 1000);
      }
    }
  }

  /** Each wait on the server ends by itself: nobody closes these connections for us. */
  @Test
  @Tag("soak")
  void aServerThatNeverEndsIsGivenUp() {
    for (Mood mood : List.of(Mood.TARPIT, Mood.SILENT, Mood.DRIPS)) {
      smtp.mood = mood;
      try (var service = start("none")) {
        ask(service, 1);
        long before = System.nanoTime();
        service.service().worker("mail").runOnce();

        assertThat(Duration.ofNanos(System.nanoTime() - before))
            .as("%s", mood)
            .isLessThan(Duration.ofSeconds(35));
        assertThat(log.lines()).anyMatch(line -> line.contains("is tried again"));
        smtp.mood = Mood.FINE;
        drain(service);
        accounted(service);
      }
      smtp.taken.clear();
    }
  }

  @Test
  void whatHasPiledUpIsSentAtTwentyASecondWhereThePaceAllowsIt() {
    drainedAtTwentyASecond(200);
  }

  @Test
  @Tag("soak")
  void muchThatHasPiledUpIsSentAtTwentyASecondWhereThePaceAllowsIt() {
    drainedAtTwentyASecond(SHORT ? 200 : 1000);
  }

  private void drainedAtTwentyASecond(int mails) {
    smtp.goDown();
    try (var service = settings("none").set("MAIL_MAX_PER_MINUTE", "1200").start()) {
      ask(service, mails);
      smtp.comeUp();
      clock.advance(STEP);
      long before = System.nanoTime();
      drain(service);
      double seconds = (System.nanoTime() - before) / 1e9;

      assertThat(accounted(service).getOrDefault("sent", 0)).isGreaterThanOrEqualTo(mails);
      assertThat(mails / seconds).as("%s mails a second", mails / seconds).isGreaterThan(20);
      System.out.printf("%s: %.0f mails a second%n", engine, mails / seconds);
    }
  }

  private void tenMinutesDown(int aMinute) {
    smtp.goDown();
    try (var service = start("none")) {
      for (int minute = 0; minute < 10; minute++) {
        ask(service, aMinute);
        clock.advance(Duration.ofMinutes(1));
        service.service().worker("mail").runOnce();
      }
      assertThat(smtp.taken).isEmpty();
      smtp.comeUp();
      drain(service);

      Map<String, Integer> ends = accounted(service);

      assertThat(ends.getOrDefault("expired", 0)).isGreaterThanOrEqualTo(aMinute);
      assertThat(ends.getOrDefault("sent", 0)).isGreaterThanOrEqualTo(8 * aMinute);
    }
  }

  /** Asks for codes while the server is in that mood, and lets it recover after a while. */
  private Map<String, Integer> storm(Mood mood, int requests) {
    smtp.mood = mood;
    try (var service = start("none")) {
      ask(service, requests);
      clock.advance(STEP);
      if (mood != Mood.TARPIT && mood != Mood.SILENT && mood != Mood.DRIPS) {
        service.service().worker("mail").runOnce();
      }
      smtp.mood = Mood.FINE;
      ask(service, 1);
      drain(service);
      return accounted(service);
    }
  }

  private TestService start(String tls) {
    return settings(tls).start();
  }

  private TestService.Builder settings(String tls) {
    return TestService.with(engine)
        .clock(clock)
        .set("SMTP_HOST", "127.0.0.1")
        .set("SMTP_PORT", Integer.toString(smtp.port()))
        .set("SMTP_TLS", tls)
        .set("MAIL_FROM", "Auth <no-reply@example.org>")
        .set("MAIL_CONNECTIONS", "4")
        .set("MAIL_MAX_PER_MINUTE", "1000000")
        .set("OTP_RATE_LIMIT_MINUTES", "0")
        .set("OTP_MAX_PER_HOUR", "1000000")
        .set("OTP_MAX_PER_DAY", "1000000")
        .metrics();
  }

  /** Asks for so many codes, eight at a time; each answer comes as if there were no mail server. */
  private void ask(TestService service, int requests) {
    String email = "user" + users.incrementAndGet() + "@example.com";
    service.register(email);
    var left = new AtomicInteger(requests);
    List<Long> nanos =
        TestService.parallel(
                Math.min(8, requests),
                () -> {
                  List<Long> mine = new ArrayList<>();
                  while (left.getAndDecrement() > 0) {
                    long before = System.nanoTime();
                    service.ask(email, "login").expect(200);
                    mine.add(System.nanoTime() - before);
                  }
                  return mine;
                })
            .stream()
            .flatMap(List::stream)
            .sorted()
            .toList();
    // Far less than any wait on a server lasts; and the promise itself where there are enough.
    assertThat(Duration.ofNanos(nanos.getLast())).isLessThan(Duration.ofSeconds(5));
    if (requests >= 1000) {
      assertThat(Duration.ofNanos(nanos.get(requests * 99 / 100)))
          .as("p99 while the server %s", smtp.mood)
          .isLessThan(Duration.ofMillis(300));
    }
  }

  /** Moves the clock until nothing waits any more. */
  private void drain(TestService service) {
    for (int step = 0; step < 40 && waiting(service) > 0; step++) {
      service.service().worker("mail").runOnce();
      if (waiting(service) > 0) {
        clock.advance(STEP);
      }
    }
    assertThat(waiting(service)).isZero();
  }

  private static long waiting(TestService service) {
    return Long.parseLong(
        String.valueOf(
            service
                .database()
                .column("SELECT count(*) FROM outbox WHERE state = 'queued'")
                .getFirst()));
  }

  /**
   * How many mails ended how; and that rows, log, metric and what the server has agree: no mail is
   * lost, none was sent after its life, none twice but where the reply to DATA was lost.
   */
  private Map<String, Integer> accounted(TestService service) {
    Map<String, String> states = new TreeMap<>();
    Map<String, Instant> expiries = new TreeMap<>();
    for (String row :
        service
            .database()
            .column(
                "SELECT id || ' ' || state || ' ' || expires_at FROM outbox WHERE state <> 'decoy'")) {
      String[] parts = String.valueOf(row).split(" ", -1);
      states.put(parts[0], parts[1]);
      expiries.put(parts[0], Instant.ofEpochMilli(Long.parseLong(parts[2])));
    }
    assertThat(states.values()).isSubsetOf("sent", "expired", "dead");
    Map<String, String> logged = new TreeMap<>();
    for (String line : log.lines()) {
      Matcher end = END.matcher(line);
      if (end.find() && states.containsKey(end.group(1))) {
        assertThat(logged.put(end.group(1), end.group(2))).as(line).isNull();
      }
    }
    assertThat(logged).isEqualTo(states);
    Map<String, List<UnreliableSmtp.Taken>> taken =
        smtp.taken.stream().collect(Collectors.groupingBy(UnreliableSmtp.Taken::id));
    taken.forEach((id, times) -> {
      long answered = times.stream().filter(it -> it.mood() != Mood.RESETS_AFTER_DATA).count();
      assertThat(answered).as(id).isEqualTo("sent".equals(states.get(id)) ? 1 : 0);
      times.forEach(it -> assertThat(it.at()).isBefore(expiries.get(id)));
    });
    states.forEach((id, state) -> {
      if (state.equals("sent")) {
        assertThat(taken).containsKey(id);
      }
    });
    Map<String, Integer> ends =
        states.values().stream()
            .collect(Collectors.toMap(it -> it, it -> 1, Integer::sum, TreeMap::new));
    assertThat(metrics(service)).isEqualTo(ends);
    return ends;
  }

  private static Map<String, Integer> metrics(TestService service) {
    Map<String, Integer> counts = new TreeMap<>();
    METRIC
        .matcher(service.metrics())
        .results()
        .forEach(it -> counts.put(it.group(1), (int) Double.parseDouble(it.group(2))));
    return counts;
  }
}
