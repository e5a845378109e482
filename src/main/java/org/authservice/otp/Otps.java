package org.authservice.otp;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.BooleanSupplier;
import org.authservice.database.Database;
import org.authservice.database.Statement;
import org.authservice.database.Transaction;
import org.authservice.http.Client;
import org.authservice.mail.Mail;
import org.authservice.mail.Outbox;
import org.authservice.mail.Template;
import org.authservice.operations.Sweep;
import org.authservice.password.PasswordHasher;
import org.authservice.ratelimit.ClientAddresses;
import org.authservice.secret.Hmac;
import org.authservice.secret.Keyring;
import org.authservice.secret.Secret;
import org.authservice.secret.Secrets;
import org.authservice.secret.Signatures;
import org.authservice.settings.CodeSettings;

/**
 * One-time codes. Asking for one spends a budget of its address, whether or not anybody has that
 * address. A guess is counted, and the count committed, before the code is compared; the row count
 * of one statement decides who spends it.
 */
public final class Otps {
  /** Wrong codes of one address in a day, over all purposes, before strangers are refused. */
  private static final int MAX_FAILURES_PER_DAY = 30;

  private static final Duration HOUR = Duration.ofHours(1);
  private static final Duration DAY = Duration.ofDays(1);

  private final OtpStore store = new OtpStore();
  private final PythonOtpStore pythonStore = new PythonOtpStore();
  private final Database database;
  private final CodeSettings settings;
  private final Signatures codeSignatures;
  private final Hmac keyHmac;
  private final PasswordHasher hasher;
  private final boolean adopted;
  private final Outbox outbox;
  private final Clock clock;
  private final Secrets secrets;

  /**
   * Codes in that database.
   *
   * @param hasher compares codes that the Python service hashed with bcrypt
   * @param adopted whether there can be such codes
   */
  public Otps(
      Database database,
      CodeSettings settings,
      Keyring keyring,
      PasswordHasher hasher,
      boolean adopted,
      Outbox outbox,
      Clock clock,
      Secrets secrets) {
    this.database = database;
    this.settings = settings;
    this.codeSignatures = keyring.signatures("one-time code");
    this.keyHmac = keyring.lookup("address key");
    this.hasher = hasher;
    this.adopted = adopted;
    this.outbox = outbox;
    this.clock = clock;
    this.secrets = secrets;
  }

  /** How asking for a code can end. */
  public sealed interface Sending {
    /** Queued, or for nobody, which looks the same. */
    record Sent(String otpId) implements Sending {}

    /** A budget is spent. */
    record TooMany(Duration retryAfter) implements Sending {}
  }

  /** How a guess can end. */
  public sealed interface Check {
    /** Right; {@link #consume} decides whether it is the first. */
    record Right(Code code) implements Check {}

    /** Wrong, used, expired, exhausted, of another purpose or nobody's: all alike. */
    record Wrong() implements Check {}
  }

  /** The key that stands for an address in budgets and counters. */
  public String addressKey(String address) {
    return keyHmac.over("address", address);
  }

  /** The key that stands for a client's address; in IPv6 a household's, which has many. */
  public String clientKey(Client client) {
    return keyHmac.over("client", ClientAddresses.network(client.address()));
  }

  /**
   * Sends a code if the address's budgets allow, in a transaction that may share its commit with
   * others.
   *
   * @param deviceId the known device that asks: it has budgets of its own, so that strangers who
   *     spend the address's cannot keep its owner out
   * @param then does the rest of the transaction; it only {@linkplain Transaction#send sends}
   */
  public <T> T send(
      Addressee addressee,
      Purpose purpose,
      Client client,
      Optional<String> deviceId,
      BiFunction<Transaction, Sending, T> then) {
    var asked = asked(addressee, purpose, client, deviceId);
    return database.transaction(
        asked.budget(), spent(asked), (tx, spent) -> then.apply(tx, send(tx, asked, spent)));
  }

  /** The same as part of the caller's transaction. */
  public Sending send(
      Transaction tx,
      Addressee addressee,
      Purpose purpose,
      Client client,
      Optional<String> deviceId) {
    var asked = asked(addressee, purpose, client, deviceId);
    // The rows to count may not exist yet: only a lock by name keeps two requests apart.
    return send(tx, asked, tx.runLocked(asked.budget(), spent(asked)));
  }

  /** Sends the code of a registration, which happens once per address and so needs no budget. */
  public String sendFirst(Transaction tx, Addressee addressee, Purpose purpose, Client client) {
    return issue(tx, asked(addressee, purpose, client, Optional.empty()));
  }

  /** The id of the newest code of that purpose. */
  public Optional<String> newestId(Transaction tx, String addressKey, Purpose purpose) {
    return tx.run(store.newestId(addressKey, purpose));
  }

  /** Counts a guess, commits the count, then compares. */
  public Check check(Guess guess) {
    return compareOurs(guess)
        .or(() -> comparePython(guess))
        .<Check>map(Check.Right::new)
        .orElseGet(Check.Wrong::new);
  }

  /** Spends a code and ends all others of its purpose; false when it was spent before. */
  public boolean consume(Transaction tx, Code code) {
    Instant now = clock.instant();
    boolean first =
        code.python()
            ? tx.run(pythonStore.consume(Long.parseLong(code.id()))) == 1
            : tx.run(store.consume(code.id(), now)) == 1;
    if (first) {
      tx.send(store.endPurpose(code.addressKey(), code.purpose(), now));
      if (adopted && code.userId().isPresent()) {
        tx.send(pythonStore.endPurpose(code.userId().get(), code.purpose()));
      }
    }
    return first;
  }

  /** Ends every pending code of an account, of every purpose. */
  public void endAll(Transaction tx, long userId) {
    tx.send(store.endAll(userId, clock.instant()));
    if (adopted) {
      tx.send(pythonStore.endAll(userId));
    }
  }

  /** Removes every code of an account that is being erased. */
  public void forget(Transaction tx, long userId) {
    tx.send(store.forget(userId));
    tx.send(pythonStore.endAll(userId));
  }

  /** What clean-up may delete. */
  public List<Sweep> sweeps() {
    return List.of(
        new Sweep("codes", store::sweep),
        new Sweep("code_failures", store::sweepFailures),
        new Sweep("otps", pythonStore::sweep));
  }

  /**
   * A code that somebody wants.
   *
   * @param budget the key of the budget that it is charged to
   * @param at when it was asked for
   */
  private record Asked(
      Addressee addressee,
      Purpose purpose,
      Client client,
      String budget,
      String clientKey,
      Instant at) {}

  private Asked asked(
      Addressee addressee, Purpose purpose, Client client, Optional<String> deviceId) {
    String budget = keyHmac.over("budget", addressee.key(), purpose.code(), deviceId.orElse(""));
    return new Asked(addressee, purpose, client, budget, clientKey(client), clock.instant());
  }

  private Statement<Optional<OtpStore.Spent>> spent(Asked asked) {
    var since = new OtpStore.Since(asked.at().minus(HOUR), asked.at().minus(DAY));
    return store.spent(asked.budget(), asked.clientKey(), since);
  }

  private Sending send(Transaction tx, Asked asked, Optional<OtpStore.Spent> spent) {
    return wait(spent.orElseThrow(), asked.at())
        .<Sending>map(Sending.TooMany::new)
        .orElseGet(() -> new Sending.Sent(issue(tx, asked)));
  }

  private Optional<Duration> wait(OtpStore.Spent spent, Instant now) {
    // The newest may be younger than this one, which waited for its turn.
    Instant newest = spent.newest().isBefore(now) ? spent.newest() : now;
    Duration sinceNewest = Duration.between(newest, now);
    if (sinceNewest.compareTo(settings.interval()) < 0) {
      return Optional.of(settings.interval().minus(sinceNewest));
    }
    // One client address may spend half of an address's codes, so that it cannot spend them all.
    if (spent.day() >= settings.perDay() || spent.clientDay() >= half(settings.perDay())) {
      return Optional.of(Duration.between(now.minus(DAY), spent.oldestOfDay()));
    }
    if (spent.hour() >= settings.perHour() || spent.clientHour() >= half(settings.perHour())) {
      return Optional.of(Duration.between(now.minus(HOUR), spent.oldestOfHour()));
    }
    return Optional.empty();
  }

  private static int half(int cap) {
    return Math.max(1, cap / 2);
  }

  private String issue(Transaction tx, Asked asked) {
    String id = secrets.id();
    Secret digits = secrets.sixDigits();
    Instant now = clock.instant();
    Instant expiresAt = now.plus(settings.life());
    Addressee addressee = asked.addressee();
    Purpose purpose = asked.purpose();
    tx.send(
        store.insert(
            id,
            addressee,
            purpose,
            asked.budget(),
            asked.clientKey(),
            codeSignatures.over(addressee.key(), purpose.code(), id, digits.reveal()),
            now,
            expiresAt));
    if (addressee.mailbox().isPresent()) {
      outbox.queue(
          tx,
          new Mail(
              addressee.notice().orElse(purpose.template()),
              addressee.mailbox().get(),
              addressee.userId(),
              addressee.notice().isPresent() ? Optional.empty() : Optional.of(digits),
              expiresAt,
              asked.client().languages()));
    } else {
      outbox.queueDecoy(tx, purpose.template());
    }
    return id;
  }

  /**
   * Compares unless this address's wrong guesses of the day are used up. A guess is taken before
   * the comparison and given back after a right one, so that parallel guesses cannot overtake it.
   */
  private boolean right(Guess guess, BooleanSupplier comparison) {
    if (noStranger(guess)) {
      return comparison.getAsBoolean();
    }
    Instant now = clock.instant();
    if (!takeGuess(guess, now) || !comparison.getAsBoolean()) {
      return false;
    }
    database.commit(store.giveBackGuess(guess.addressKey(), now));
    return true;
  }

  /** Whoever holds a known device, or asked for this very code from here, is no stranger. */
  private boolean noStranger(Guess guess) {
    return guess.knownDevice()
        || guess
            .otpId()
            .flatMap(id -> database.read(store.clientKeyOf(id, guess.addressKey())))
            .filter(clientKey(guess.client())::equals)
            .isPresent();
  }

  private boolean takeGuess(Guess guess, Instant now) {
    Optional<Integer> taken =
        database.commit(store.takeGuess(guess.addressKey(), MAX_FAILURES_PER_DAY, now));
    if (taken.filter(count -> count == MAX_FAILURES_PER_DAY).isPresent()) {
      guess.mailbox().ifPresent(mailbox -> warn(guess, mailbox, now));
    }
    return taken.isPresent();
  }

  /**
   * Once a day: whenever guesses of a day ago cease to count, others may use their room up again.
   */
  private void warn(Guess guess, String mailbox, Instant now) {
    database.transaction(tx -> {
      boolean first = tx.run(store.claimWarning(guess.addressKey(), now, now.minus(DAY))) == 1;
      if (first) {
        outbox.queue(
            tx,
            new Mail(
                Template.TOO_MANY_GUESSES,
                mailbox,
                guess.userId(),
                Optional.empty(),
                now.plus(DAY)));
      }
      return first;
    });
  }

  private Optional<Code> compareOurs(Guess guess) {
    Instant now = clock.instant();
    int max = settings.maxAttempts();
    var counted =
        database.commit(
            guess
                .otpId()
                .map(id -> store.countBound(id, guess.addressKey(), guess.purpose(), max, now))
                .orElseGet(() -> store.countNewest(guess.addressKey(), guess.purpose(), max, now)));
    if (counted.isEmpty()) {
      guessInVain(guess);
    }
    return counted
        .filter(row -> right(guess, () -> matches(row, guess)))
        .map(row ->
            new Code(
                row.id(),
                guess.addressKey(),
                guess.purpose(),
                row.userId(),
                row.pendingId(),
                guess.otpId().isPresent(),
                false));
  }

  /**
   * Where there is no code to guess, the same commits as where there is one: the time taken must
   * not tell that the owner of an address is just signing in, or has just registered.
   */
  private void guessInVain(Guess guess) {
    Instant now = clock.instant();
    guess.otpId().ifPresent(id -> database.read(store.clientKeyOf(id, guess.addressKey())));
    for (String counter : new String[] {"no code", "no guess"}) {
      String key = keyHmac.over(counter, guess.addressKey());
      database.commit(store.takeGuess(key, Integer.MAX_VALUE, now));
    }
  }

  private Optional<Code> comparePython(Guess guess) {
    if (!adopted
        || guess.userId().isEmpty()
        || guess.otpId().isPresent()
        || guess.purpose() == Purpose.PASSWORD_CONFIRMATION) {
      return Optional.empty();
    }
    return database
        .commit(
            pythonStore.countNewest(
                guess.userId().get(), guess.purpose(), settings.maxAttempts(), clock.instant()))
        .filter(row -> row.bcryptHash().startsWith("$2"))
        .filter(row -> right(guess, () -> matches(row, guess)))
        .map(row ->
            new Code(
                Long.toString(row.id()),
                guess.addressKey(),
                guess.purpose(),
                guess.userId(),
                Optional.empty(),
                false,
                true));
  }

  private boolean matches(OtpStore.Counted row, Guess guess) {
    return codeSignatures.match(
        row.codeHash(),
        guess.addressKey(),
        guess.purpose().code(),
        row.id(),
        guess.digits().reveal());
  }

  private boolean matches(PythonOtpStore.Counted row, Guess guess) {
    return hasher.verify(guess.digits(), Optional.of(row.bcryptHash()))
        instanceof PasswordHasher.Verdict.Right;
  }
}
