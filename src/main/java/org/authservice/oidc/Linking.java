package org.authservice.oidc;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.authservice.account.Account;
import org.authservice.account.Accounts;
import org.authservice.account.Identities;
import org.authservice.account.Identity;
import org.authservice.audit.SecurityEvent;
import org.authservice.audit.SecurityEvents;
import org.authservice.database.Database;
import org.authservice.database.Transaction;
import org.authservice.http.Client;
import org.authservice.http.Principal;
import org.authservice.mail.Mail;
import org.authservice.mail.Outbox;
import org.authservice.mail.Template;
import org.authservice.oidc.SigninOutcome.Refusal;
import org.authservice.session.Sessions;

/**
 * Linking identities to accounts from inside a session, and unlinking them. Both change who can get
 * in, so both need a session that proved itself in the last five minutes, and the owner is mailed.
 */
final class Linking {
  private static final Duration NOTICE_LIFE = Duration.ofDays(1);

  private final Database database;
  private final Accounts accounts;
  private final Identities identities;
  private final Sessions sessions;
  private final Outbox outbox;
  private final SecurityEvents events;
  private final Clock clock;

  Linking(Oidc.Parts it) {
    this.database = it.database();
    this.accounts = it.accounts();
    this.identities = it.identities();
    this.sessions = it.sessions();
    this.outbox = it.outbox();
    this.events = it.events();
    this.clock = it.clock();
  }

  /** Whether somebody may link or unlink. */
  sealed interface Permission {
    /** They may. */
    record Given(Flows.Linker linker) implements Permission {}

    /** The access token no longer speaks for an active account. */
    record TokenInvalid() implements Permission {}

    /** They must prove themselves again first. */
    record LoginRequired() implements Permission {}
  }

  /** How unlinking can end. */
  sealed interface Unlinking {
    /**
     * It is unlinked.
     *
     * @param codesOnly whether codes by mail are the only way left to sign in
     */
    record Unlinked(boolean codesOnly) implements Unlinking {}

    /** There was nothing to unlink. */
    record NotLinked() implements Unlinking {}

    /** Nobody could sign in any more. */
    record LastMethod() implements Unlinking {}

    /** The credentials changed meanwhile. */
    record LoginRequired() implements Unlinking {}
  }

  Permission permission(Principal principal) {
    Optional<Account> account = accounts.of(principal);
    if (account.isEmpty()) {
      return new Permission.TokenInvalid();
    }
    return principal
        .sessionId()
        .filter(id -> sessions.provenWithin(id, Sessions.PROOF_AGE))
        .<Permission>map(id ->
            new Permission.Given(
                new Flows.Linker(account.get().id(), id, account.get().credentialsVersion())))
        .orElseGet(Permission.LoginRequired::new);
  }

  /** Links; the session and the credentials must still be those that asked for it. */
  SigninOutcome link(Flows.Linker linker, Identity identity, Client client) {
    Duration age = Sessions.PROOF_AGE.plus(Flows.LIFE);
    if (!sessions.provenWithin(linker.sessionId(), age)) {
      return refused(linker, Refusal.LOGIN_REQUIRED, client);
    }
    SigninOutcome outcome =
        database.transaction(tx -> {
          Optional<Account> account = owner(tx, linker);
          if (account.isEmpty()) {
            return Refusal.LOGIN_REQUIRED;
          }
          return switch (identities.link(tx, identity, linker.userId())) {
            case KEPT -> new SigninOutcome.Linked();
            case MADE -> {
              announce(
                  tx,
                  SecurityEvent.Type.IDENTITY_LINK,
                  Template.SIGN_IN_METHOD_LINKED,
                  account.get(),
                  client);
              yield new SigninOutcome.Linked();
            }
            case OTHER_IDENTITY, OTHER_ACCOUNT -> Refusal.IDENTITY_TAKEN;
          };
        });
    return outcome instanceof Refusal refusal ? refused(linker, refusal, client) : outcome;
  }

  /** Unlinks, unless nobody could sign in to the account any more. */
  Unlinking unlink(Flows.Linker linker, String issuer, boolean google, Client client) {
    return database.transaction(tx -> {
      Optional<Account> account = owner(tx, linker);
      if (account.isEmpty()) {
        return new Unlinking.LoginRequired();
      }
      List<String> others =
          identities.issuers(tx, linker.userId()).stream()
              .filter(it -> !it.equals(issuer))
              .toList();
      boolean password = account.get().hashedPassword().isPresent();
      boolean codesOnly = !password && others.isEmpty();
      if (codesOnly && !(account.get().verified() && outbox.available())) {
        return new Unlinking.LastMethod();
      }
      if (!identities.unlink(tx, issuer, google, linker.userId())) {
        return new Unlinking.NotLinked();
      }
      announce(
          tx,
          SecurityEvent.Type.IDENTITY_UNLINK,
          Template.SIGN_IN_METHOD_UNLINKED,
          account.get(),
          client);
      return new Unlinking.Unlinked(codesOnly);
    });
  }

  /** What the owner is told. */
  static Mail notice(Template template, Account account, Instant now) {
    return new Mail(
        template,
        account.email(),
        Optional.of(account.id()),
        Optional.empty(),
        now.plus(NOTICE_LIFE));
  }

  private Optional<Account> owner(Transaction tx, Flows.Linker linker) {
    return accounts
        .lock(tx, linker.userId())
        .filter(Account::active)
        .filter(now -> now.credentialsVersion() == linker.credentialsVersion());
  }

  private void announce(
      Transaction tx, SecurityEvent.Type type, Template template, Account account, Client client) {
    outbox.queue(tx, notice(template, account, clock.instant()));
    events.record(tx, SecurityEvent.ok(type, account.id(), client));
  }

  private SigninOutcome refused(Flows.Linker linker, Refusal refusal, Client client) {
    events.record(
        SecurityEvent.refused(
            SecurityEvent.Type.IDENTITY_LINK,
            refusal.code().code(),
            Optional.of(linker.userId()),
            client));
    return refusal;
  }
}
