package org.authservice.oauth;

import java.util.List;
import java.util.Optional;
import org.authservice.account.Accounts;
import org.authservice.audit.SecurityEvent;
import org.authservice.audit.SecurityEvents;
import org.authservice.database.Database;
import org.authservice.database.Transaction;
import org.authservice.http.Client;
import org.authservice.secret.Secret;
import org.authservice.session.Sessions;
import org.authservice.signin.Leaving;
import org.authservice.token.BearerTokens;
import org.authservice.token.BearerTokens.Genuine;
import org.authservice.token.Revocations;

/**
 * Ends tokens (RFC 7009). A token of either kind takes its session with it, and so the other kind,
 * on every node. A text that is no token of ours, or is dead, has nothing to end.
 */
final class TokenRevocation {
  private final Database database;
  private final BearerTokens bearerTokens;
  private final Accounts accounts;
  private final Sessions sessions;
  private final Revocations revocations;
  private final Leaving leaving;
  private final SecurityEvents events;

  TokenRevocation(
      Database database,
      BearerTokens bearerTokens,
      Accounts accounts,
      Sessions sessions,
      Revocations revocations,
      Leaving leaving,
      SecurityEvents events) {
    this.database = database;
    this.bearerTokens = bearerTokens;
    this.accounts = accounts;
    this.sessions = sessions;
    this.revocations = revocations;
    this.leaving = leaving;
    this.events = events;
  }

  /** Ends what the token belongs to; it is recorded when this returns. */
  void revoke(Secret token, Client client) {
    Optional<Genuine> accessToken = bearerTokens.genuine(token.reveal());
    if (accessToken.isPresent()) {
      revoke(accessToken.get(), client);
    } else {
      leaving.leave(token, Leaving.Scope.LOCAL, client);
    }
  }

  private void revoke(Genuine token, Client client) {
    database.transaction(tx -> {
      long userId = token.principal().userId();
      accounts.lock(tx, userId);
      Optional<String> sessionId = token.principal().sessionId();
      boolean ended = sessionId.filter(id -> sessions.end(tx, userId, id, client)).isPresent();
      if (!ended) {
        revokeAlone(tx, token, client);
      }
      return true;
    });
  }

  /** Of the Python service's token there is no session here; of ours it may be lost or dead. */
  private void revokeAlone(Transaction tx, Genuine token, Client client) {
    long userId = token.principal().userId();
    revocations.end(tx, userId, List.of(token.endedBy()));
    events.record(tx, SecurityEvent.ok(SecurityEvent.Type.TOKEN_REVOKED, userId, client));
  }
}
