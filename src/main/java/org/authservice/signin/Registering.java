package org.authservice.signin;

import java.time.Duration;
import java.util.Optional;
import org.authservice.account.Account;
import org.authservice.account.Accounts;
import org.authservice.account.EmailAddress;
import org.authservice.account.PendingRegistration;
import org.authservice.account.PendingRegistrations;
import org.authservice.account.Registration;
import org.authservice.audit.SecurityEvent;
import org.authservice.audit.SecurityEvents;
import org.authservice.database.Database;
import org.authservice.database.Transaction;
import org.authservice.http.Client;
import org.authservice.mail.Outbox;
import org.authservice.mail.Template;
import org.authservice.otp.Addressee;
import org.authservice.otp.Otps;
import org.authservice.otp.Purpose;
import org.authservice.password.PasswordHasher;
import org.authservice.password.PasswordPolicy;
import org.authservice.ratelimit.Devices;
import org.authservice.secret.Secret;
import org.authservice.secret.Secrets;

/** Registering with an address and a password. */
public final class Registering {
  private final Database database;
  private final boolean privacy;
  private final PasswordPolicy policy;
  private final PasswordHasher hasher;
  private final Accounts accounts;
  private final PendingRegistrations pendings;
  private final Directory directory;
  private final Devices devices;
  private final Otps otps;
  private final Outbox outbox;
  private final SecurityEvents events;
  private final Secrets secrets;

  Registering(
      Database database,
      boolean privacy,
      PasswordPolicy policy,
      PasswordHasher hasher,
      Accounts accounts,
      PendingRegistrations pendings,
      Directory directory,
      Devices devices,
      Otps otps,
      Outbox outbox,
      SecurityEvents events,
      Secrets secrets) {
    this.database = database;
    this.privacy = privacy;
    this.policy = policy;
    this.hasher = hasher;
    this.accounts = accounts;
    this.pendings = pendings;
    this.directory = directory;
    this.devices = devices;
    this.otps = otps;
    this.outbox = outbox;
    this.events = events;
    this.secrets = secrets;
  }

  /** What somebody who registers sends. */
  public record Application(EmailAddress email, Secret password, Optional<String> fullName) {}

  /** How registering can end. */
  public sealed interface Outcome {
    /**
     * The account exists.
     *
     * @param otpId of the code that was mailed to verify the address; empty when mail is off
     */
    record Registered(Account account, Optional<String> otpId, Secret deviceToken)
        implements Outcome {}

    /** With registration privacy: a code was mailed, or a notice to whoever has the address. */
    record Pending(String otpId) implements Outcome {}

    /** An account has the address. */
    record EmailTaken() implements Outcome {}

    /** The password policy says no. */
    record PasswordRejected(String reason) implements Outcome {}

    /** The address's codes are spent. */
    record TooManyCodes(Duration retryAfter) implements Outcome {}

    /** With registration privacy, nothing goes without mail. */
    record MailUnavailable() implements Outcome {}
  }

  /** Registers. */
  public Outcome register(Application application, Client client) {
    Optional<String> reason =
        policy.reasonAgainst(
            application.password(), application.email().normalised(), application.fullName());
    if (reason.isPresent()) {
      return new Outcome.PasswordRejected(reason.get());
    }
    return privacy ? registerPrivately(application, client) : registerOpenly(application, client);
  }

  private Outcome registerOpenly(Application application, Client client) {
    // Spares the hash; the insert below is what decides.
    Optional<Account> holder = accounts.find(application.email());
    if (holder.isPresent()) {
      return taken(holder.map(Account::id), client);
    }
    String hash = hasher.hash(application.password());
    Optional<Outcome> registered =
        database.transaction(tx ->
            accounts
                .create(tx, application.email(), Optional.of(hash), application.fullName(), false)
                .map(account -> welcome(tx, account, client)));
    return registered.orElseGet(() -> taken(Optional.empty(), client));
  }

  private Outcome welcome(Transaction tx, Account account, Client client) {
    accounts.speaks(tx, account.id(), client.languages());
    var device = devices.mint(tx, account.id());
    String key = otps.addressKey(account.email());
    Optional<String> otpId =
        outbox.available()
            ? Optional.of(
                otps.sendFirst(
                    tx,
                    Addressee.account(key, account.email(), account.id()),
                    Purpose.VERIFICATION,
                    client))
            : Optional.empty();
    accounts.rememberRegistration(
        tx, account.id(), new Registration(otpId.orElse(""), device.id(), otps.clientKey(client)));
    events.record(tx, SecurityEvent.ok(SecurityEvent.Type.REGISTRATION, account.id(), client));
    return new Outcome.Registered(account, otpId, device.token());
  }

  private Outcome taken(Optional<Long> holder, Client client) {
    events.record(
        SecurityEvent.refused(SecurityEvent.Type.REGISTRATION, "email_taken", holder, client));
    return new Outcome.EmailTaken();
  }

  /** A new and a taken address cost the same and are answered the same. */
  private Outcome registerPrivately(Application application, Client client) {
    if (!outbox.available()) {
      return new Outcome.MailUnavailable();
    }
    String hash = hasher.hash(application.password());
    var entry = directory.look(application.email(), client);
    String pendingId = secrets.id();
    Addressee addressee =
        entry
            .account()
            .map(holder ->
                holder.active()
                    ? Addressee.notified(entry.key(), holder.email(), Template.ADDRESS_TAKEN)
                    : Addressee.nobody(entry.key()))
            .orElseGet(
                () -> Addressee.pending(entry.key(), application.email().normalised(), pendingId));
    return database.transaction(tx -> {
      Optional<String> nobody = Optional.empty();
      return switch (otps.send(tx, addressee, Purpose.VERIFICATION, client, nobody)) {
        case Otps.Sending.TooMany(var wait) -> new Outcome.TooManyCodes(wait);
        case Otps.Sending.Sent(var otpId) -> {
          // Kept for a taken address too: the same work, and no code ever leads to it.
          pendings.add(
              tx,
              new PendingRegistration(
                  pendingId,
                  otpId,
                  entry.key(),
                  application.email().normalised(),
                  hash,
                  application.fullName(),
                  otps.clientKey(client)));
          events.record(
              tx,
              SecurityEvent.refused(
                  SecurityEvent.Type.REGISTRATION, "pending", entry.userId(), client));
          yield new Outcome.Pending(otpId);
        }
      };
    });
  }
}
