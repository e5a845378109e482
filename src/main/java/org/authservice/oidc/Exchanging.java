package org.authservice.oidc;

import java.util.Optional;
import org.authservice.account.Account;
import org.authservice.account.Accounts;
import org.authservice.audit.SecurityEvent;
import org.authservice.audit.SecurityEvents;
import org.authservice.database.Database;
import org.authservice.database.Transaction;
import org.authservice.http.Client;
import org.authservice.ratelimit.Devices;
import org.authservice.secret.Secret;
import org.authservice.session.Sessions;
import org.authservice.session.Tokens;

/** Collecting a sign-in with its exchange code. */
final class Exchanging {
  private final Database database;
  private final ExchangeCodes codes;
  private final Accounts accounts;
  private final Devices devices;
  private final Sessions sessions;
  private final SecurityEvents events;

  Exchanging(Oidc.Parts it, ExchangeCodes codes) {
    this.database = it.database();
    this.codes = codes;
    this.accounts = it.accounts();
    this.devices = it.devices();
    this.sessions = it.sessions();
    this.events = it.events();
  }

  /** Trades a code for tokens; empty when it is wrong, used, expired, or the verifier is. */
  Optional<Tokens> exchange(Secret code, Secret verifier, Client client) {
    Optional<Account> owner = codes.owner(code).flatMap(accounts::byId);
    Optional<String> device = owner.flatMap(it -> devices.recognise(client, it.id()));
    Optional<Tokens> tokens =
        owner.flatMap(read ->
            database.transaction(tx -> {
              // The account first, then the code: the order in which revoking takes them.
              Optional<Account> account = accounts.lockUnchanged(tx, read);
              boolean good = codes.spend(tx, code, verifier, account);
              return account.filter(it -> good).map(it -> open(tx, it, client, device));
            }));
    if (tokens.isEmpty()) {
      events.record(
          SecurityEvent.refused(
              SecurityEvent.Type.EXCHANGE,
              "exchange_code_invalid",
              owner.map(Account::id),
              client));
    }
    return tokens;
  }

  private Tokens open(Transaction tx, Account account, Client client, Optional<String> device) {
    events.record(tx, SecurityEvent.ok(SecurityEvent.Type.EXCHANGE, account.id(), client));
    return sessions.open(tx, account, client, device);
  }
}
