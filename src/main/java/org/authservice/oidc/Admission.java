package org.authservice.oidc;

import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import org.authservice.account.Account;
import org.authservice.account.Accounts;
import org.authservice.account.EmailAddress;
import org.authservice.account.Identities;
import org.authservice.account.Identity;
import org.authservice.audit.SecurityEvent;
import org.authservice.audit.SecurityEvents;
import org.authservice.database.Database;
import org.authservice.database.Transaction;
import org.authservice.http.Client;
import org.authservice.http.ErrorCode;
import org.authservice.http.Unavailable;
import org.authservice.mail.Outbox;
import org.authservice.mail.Template;
import org.authservice.oidc.SigninOutcome.Refusal;
import org.authservice.ratelimit.Devices;
import org.authservice.session.Sessions;
import org.authservice.signin.MailboxProof;

/**
 * Which account a person whom a provider vouches for may enter. An identity that is linked enters
 * its account. Else the address decides, and only if the provider's word on it counts: nobody has
 * it yet, then an account is made; its owner proved it here too, then the identity is linked;
 * nobody proved it here, then the account passes to whoever just did ({@link MailboxProof}).
 * docs/openid.md has the table.
 */
final class Admission {
  private static final int TRIES = 5;

  private final Database database;
  private final Accounts accounts;
  private final Identities identities;
  private final MailboxProof proof;
  private final Sessions sessions;
  private final ExchangeCodes codes;
  private final Devices devices;
  private final Outbox outbox;
  private final SecurityEvents events;
  private final Clock clock;

  Admission(Oidc.Parts it, MailboxProof proof, ExchangeCodes codes) {
    this.database = it.database();
    this.accounts = it.accounts();
    this.identities = it.identities();
    this.proof = proof;
    this.sessions = it.sessions();
    this.codes = codes;
    this.devices = it.devices();
    this.outbox = it.outbox();
    this.events = it.events();
    this.clock = it.clock();
  }

  /**
   * Who comes.
   *
   * @param bearer the account that the request's access token speaks for
   * @param codeChallenge of the app that will collect the sign-in; empty to be given tokens at once
   */
  record Visitor(
      Person person, Optional<Long> bearer, Optional<String> codeChallenge, Client client) {}

  /** Lets a person in, or says why not. */
  SigninOutcome admit(Visitor visitor) {
    for (int attempt = 0; attempt < TRIES; attempt++) {
      Optional<SigninOutcome> outcome = tryToAdmit(visitor);
      if (outcome.isPresent()) {
        return outcome.get();
      }
    }
    throw new Unavailable(
        ErrorCode.OVERLOADED, Duration.ofSeconds(1), "an account keeps changing", null);
  }

  /** Empty when the account changed meanwhile: look again, decide again. */
  private Optional<SigninOutcome> tryToAdmit(Visitor visitor) {
    Person person = visitor.person();
    Optional<Account> linked = identities.owner(person.identity()).flatMap(accounts::byId);
    if (linked.isPresent()) {
      return enter(visitor, linked.get(), true);
    }
    if (person.email().isEmpty()) {
      return refused(visitor, Refusal.NOT_ACCEPTABLE, Optional.empty());
    }
    EmailAddress email = person.email().get();
    Optional<Account> local = accounts.find(email);
    if (!person.emailProven()) {
      // What is told here is no more than registering tells.
      Refusal refusal =
          local.filter(Account::verified).isPresent()
              ? Refusal.LINK_REQUIRES_LOGIN
              : Refusal.EMAIL_UNVERIFIED;
      return refused(visitor, refusal, local.map(Account::id));
    }
    return local.isPresent() ? enter(visitor, local.get(), false) : create(visitor, email);
  }

  private Optional<SigninOutcome> create(Visitor visitor, EmailAddress email) {
    return database.transaction(tx ->
        accounts
            .create(tx, email, Optional.empty(), visitor.person().name(), true)
            .map(account -> {
              record(tx, SecurityEvent.Type.REGISTRATION, account, visitor);
              identities.link(tx, visitor.person().identity(), account.id());
              return signIn(tx, account, Optional.empty(), visitor);
            }));
  }

  private Optional<SigninOutcome> enter(Visitor visitor, Account read, boolean linked) {
    if (!read.active()) {
      return refused(visitor, Refusal.ACCOUNT_DISABLED, Optional.of(read.id()));
    }
    Optional<String> device = devices.recognise(visitor.client(), read.id());
    Optional<SigninOutcome> outcome =
        database.transaction(tx ->
            accounts
                .lockUnchanged(tx, read)
                .filter(now -> identities.isLinked(tx, identity(visitor), now.id()) == linked)
                .map(account -> enter(tx, account, device, visitor)));
    if (outcome.isPresent() && outcome.get() instanceof Refusal refusal) {
      return refused(visitor, refusal, Optional.of(read.id()));
    }
    return outcome;
  }

  private SigninOutcome enter(
      Transaction tx, Account locked, Optional<String> device, Visitor visitor) {
    Account account =
        proves(visitor.person(), locked)
            ? proof.accept(
                tx,
                locked,
                new MailboxProof.Prover(
                    Optional.empty(), visitor.bearer(), device, visitor.client()))
            : locked;
    return switch (identities.link(tx, identity(visitor), account.id())) {
      case KEPT -> signIn(tx, account, device, visitor);
      case MADE -> {
        record(tx, SecurityEvent.Type.IDENTITY_LINK, account, visitor);
        outbox.queue(tx, Linking.notice(Template.SIGN_IN_METHOD_LINKED, account, clock.instant()));
        yield signIn(tx, account, device, visitor);
      }
      // The address may have passed to another person there: only the account's owner may say.
      case OTHER_IDENTITY, OTHER_ACCOUNT -> Refusal.LINK_REQUIRES_LOGIN;
    };
  }

  /** Whether this person's coming proves the account's mailbox. */
  private static boolean proves(Person person, Account account) {
    return !account.verified()
        && person.emailProven()
        && person
            .email()
            .filter(it -> it.normalised().equalsIgnoreCase(account.email()))
            .isPresent();
  }

  private SigninOutcome signIn(
      Transaction tx, Account account, Optional<String> device, Visitor visitor) {
    record(tx, SecurityEvent.Type.PROVIDER_LOGIN, account, visitor);
    return visitor
        .codeChallenge()
        .<SigninOutcome>map(
            challenge -> new SigninOutcome.CodeGiven(codes.issue(tx, account, challenge)))
        .orElseGet(
            () -> new SigninOutcome.SignedIn(sessions.open(tx, account, visitor.client(), device)));
  }

  private Optional<SigninOutcome> refused(Visitor visitor, Refusal refusal, Optional<Long> userId) {
    events.record(
        SecurityEvent.refused(
            SecurityEvent.Type.PROVIDER_LOGIN, refusal.code().code(), userId, visitor.client()));
    return Optional.of(refusal);
  }

  private void record(Transaction tx, SecurityEvent.Type type, Account account, Visitor visitor) {
    events.record(tx, SecurityEvent.ok(type, account.id(), visitor.client()));
  }

  private static Identity identity(Visitor visitor) {
    return visitor.person().identity();
  }
}
