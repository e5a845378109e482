package org.authservice.signin;

import java.time.Clock;
import java.util.Optional;
import org.authservice.account.Account;
import org.authservice.account.Accounts;
import org.authservice.account.Registration;
import org.authservice.audit.SecurityEvent;
import org.authservice.audit.SecurityEvents;
import org.authservice.database.Transaction;
import org.authservice.http.Client;
import org.authservice.otp.Code;
import org.authservice.otp.Otps;
import org.authservice.token.LegacyTokens;

/**
 * The rule for a mailbox's first proof. Anybody can register an address that is not theirs and wait
 * for its owner to come. So whoever first proves the mailbox is the owner, and whatever another may
 * have set before stops working: sessions, devices, codes and reset tokens end, the name goes, and
 * the password signs nobody in until the owner confirms it. Nothing is touched when the one who
 * registered and the one who proves are seen to be the same.
 */
public final class MailboxProof {
  private final Accounts accounts;
  private final Otps otps;
  private final AccountRevocation revocation;
  private final SecurityEvents events;
  private final LegacyTokens legacyTokens;
  private final Clock clock;

  MailboxProof(
      Accounts accounts,
      Otps otps,
      AccountRevocation revocation,
      SecurityEvents events,
      LegacyTokens legacyTokens,
      Clock clock) {
    this.accounts = accounts;
    this.otps = otps;
    this.revocation = revocation;
    this.events = events;
    this.legacyTokens = legacyTokens;
    this.clock = clock;
  }

  /**
   * Who proves a mailbox.
   *
   * @param code the code that was entered; empty when a provider vouches for the mailbox
   * @param bearer the account that the request's access token speaks for
   * @param deviceId the known device of the account that sent the request
   */
  public record Prover(
      Optional<Code> code, Optional<Long> bearer, Optional<String> deviceId, Client client) {}

  /** How prover and registrant are related. */
  private enum Party {
    /** Seen to be the same: nothing is touched. */
    SAME,
    /** Probably the same: the password stays, but what else was opened ends. */
    SAME_ADDRESS,
    /** Not known to be the same. */
    OTHER
  }

  /**
   * Accepts the proof; the caller holds the lock on the account's row.
   *
   * @return the account as it is now
   */
  public Account accept(Transaction tx, Account account, Prover prover) {
    if (account.verified()) {
      return account;
    }
    Optional<Registration> registration = accounts.takeRegistration(tx, account.id());
    return accept(tx, account, prover, party(account, prover, registration));
  }

  /** Accepts the proof of a registration that waited for it and has just become an account. */
  Account acceptNew(Transaction tx, Account account, Prover prover, Registration registration) {
    accounts.speaks(tx, account.id(), prover.client().languages());
    return accept(tx, account, prover, party(account, prover, Optional.of(registration)));
  }

  /** The mailbox is proven by a password reset: a new password follows, so none is confirmed. */
  void acceptReset(Transaction tx, Account account, Client client) {
    accounts.takeRegistration(tx, account.id());
    accounts.passToProver(tx, account.id());
    accounts.markVerified(tx, account.id());
    events.record(tx, SecurityEvent.ok(SecurityEvent.Type.MAILBOX_PROOF, account.id(), client));
  }

  private Account accept(Transaction tx, Account account, Prover prover, Party party) {
    accounts.markVerified(tx, account.id());
    switch (party) {
      case SAME -> {}
      case SAME_ADDRESS -> {
        accounts.raiseCredentials(tx, account.id());
        revocation.revokeAll(tx, account.id(), prover.client());
      }
      case OTHER -> {
        revocation.revokeAll(tx, account.id(), prover.client());
        accounts.passToProver(tx, account.id());
        accounts.speaks(tx, account.id(), prover.client().languages());
      }
    }
    events.record(
        tx, SecurityEvent.ok(SecurityEvent.Type.MAILBOX_PROOF, account.id(), prover.client()));
    return accounts.lock(tx, account.id()).orElseThrow();
  }

  private Party party(Account account, Prover prover, Optional<Registration> registration) {
    if (prover.bearer().filter(id -> id == account.id()).isPresent()) {
      return Party.SAME;
    }
    if (registration.isEmpty()) {
      return Party.OTHER;
    }
    Registration registered = registration.get();
    Optional<Code> itsCode = prover.code().filter(code -> code.id().equals(registered.codeId()));
    if (itsCode.filter(Code::boundToId).isPresent()
        || prover.deviceId().filter(registered.deviceId()::equals).isPresent()) {
      return Party.SAME;
    }
    // Clients written for the Python service do not know otp_id yet.
    boolean sameAddress = otps.clientKey(prover.client()).equals(registered.clientKey());
    return itsCode.isPresent() && sameAddress && legacyTokens.accepted(clock.instant())
        ? Party.SAME_ADDRESS
        : Party.OTHER;
  }
}
