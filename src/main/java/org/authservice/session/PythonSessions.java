package org.authservice.session;

import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import org.authservice.account.Account;
import org.authservice.account.Accounts;
import org.authservice.database.Database;
import org.authservice.http.Client;
import org.authservice.secret.Hmac;
import org.authservice.secret.Keyring;
import org.authservice.secret.Secret;
import org.authservice.session.Sessions.Presented;
import org.authservice.session.Sessions.Refreshing;
import org.authservice.token.PythonTokens;
import org.authservice.token.Revocations;

/**
 * Sessions that a refresh token of the Python service opens here. Such a token counts as number 0
 * of a session whose id is derived from its {@code jti}, so a retry after a lost answer follows the
 * same rule as any other; its {@code jti} is blacklisted at once, so that the Python service
 * refuses it.
 */
public final class PythonSessions {
  private static final int NUMBER = 0;

  private final Database database;
  private final Sessions sessions;
  private final Accounts accounts;
  private final PythonTokens pythonTokens;
  private final Revocations revocations;
  private final Hmac ids;
  private final Clock clock;

  /** Sessions over those. */
  public PythonSessions(
      Database database,
      Sessions sessions,
      Accounts accounts,
      PythonTokens pythonTokens,
      Revocations revocations,
      Keyring keyring,
      Clock clock) {
    this.database = database;
    this.sessions = sessions;
    this.accounts = accounts;
    this.pythonTokens = pythonTokens;
    this.revocations = revocations;
    this.ids = keyring.lookup("python session id");
    this.clock = clock;
  }

  /** Opens a session with the token, or goes on with the one it opened before. */
  public Refreshing refresh(Secret token, Client client) {
    return pythonTokens
        .refresh(token.reveal())
        .map(read -> refresh(read, client))
        .orElseGet(Refreshing.Refused::new);
  }

  /** Opens the token's session, unless it did before or is dead. */
  public void open(Secret token, Client client) {
    pythonTokens.refresh(token.reveal()).ifPresent(read -> open(read, sessionId(read), client));
  }

  /** Which session the token opened; {@link #blacklist} ends the token itself. */
  public Presented identify(Secret token) {
    return pythonTokens
        .refresh(token.reveal())
        .map(read -> sessions.presented(sessionId(read), NUMBER, read.expiresAt()))
        .orElseGet(Presented.Nothing::new);
  }

  /** What a refresh with the token would go on with: a session, be it opened yet or not. */
  public Presented acceptable(Secret token) {
    Optional<PythonTokens.Refresh> read = pythonTokens.refresh(token.reveal());
    return read.isPresent() && unused(token).isPresent()
        ? new Presented.Good(read.get().userId(), sessionId(read.get()), read.get().expiresAt())
        : identify(token);
  }

  /**
   * Whom the token would sign in, were it not used yet; empty when it is blacklisted or dead. It
   * lets somebody leave everywhere with a token that has opened no session here.
   */
  public Optional<Account> unused(Secret token) {
    return pythonTokens
        .refresh(token.reveal())
        .filter(read -> !revocations.isBlacklisted(read))
        .flatMap(read -> accounts.byId(read.userId()).filter(account -> alive(read, account)));
  }

  /** Blacklists the token for both services; does nothing for any other text. */
  public void blacklist(Secret token) {
    pythonTokens
        .refresh(token.reveal())
        .ifPresent(read -> database.transaction(tx -> revocations.blacklist(tx, read)));
  }

  private Refreshing refresh(PythonTokens.Refresh token, Client client) {
    String id = sessionId(token);
    if (sessions.find(id).isEmpty()) {
      Optional<Refreshing> opened = open(token, id, client);
      if (opened.isPresent()) {
        return opened.get();
      }
    }
    // Opened before, perhaps by a request that raced this one; or blacklisted, and then not there.
    return sessions.refresh(id, NUMBER, client);
  }

  private Optional<Refreshing> open(PythonTokens.Refresh token, String id, Client client) {
    return database.transaction(tx -> {
      Optional<Account> account = accounts.lock(tx, token.userId()).filter(it -> alive(token, it));
      if (account.isEmpty() || !revocations.blacklist(tx, token)) {
        return Optional.empty();
      }
      var numbers = Numbers.openedByRefresh(clock.instant().truncatedTo(ChronoUnit.MILLIS));
      var session =
          sessions.open(tx, account.get(), client, Optional.empty(), id, numbers, Instant.EPOCH);
      return Optional.of(new Refreshing.Refreshed(sessions.tokens(session, account.get())));
    });
  }

  private static boolean alive(PythonTokens.Refresh token, Account account) {
    Instant issued = token.issuedAt();
    return account.active() && !issued.isBefore(account.tokensValidFrom());
  }

  private String sessionId(PythonTokens.Refresh token) {
    return ids.over(token.jti()).substring(0, 32);
  }
}
