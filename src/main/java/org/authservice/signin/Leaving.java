package org.authservice.signin;

import java.util.Locale;
import java.util.Optional;
import org.authservice.account.Account;
import org.authservice.account.Accounts;
import org.authservice.database.Database;
import org.authservice.http.Client;
import org.authservice.secret.Secret;
import org.authservice.session.PythonSessions;
import org.authservice.session.Sessions;
import org.authservice.session.Sessions.Presented;

/** Logging out: here, everywhere else, or everywhere. */
public final class Leaving {
  private final Database database;
  private final Accounts accounts;
  private final Sessions sessions;
  private final PythonSessions pythonSessions;
  private final AccountRevocation revocation;

  Leaving(
      Database database,
      Accounts accounts,
      Sessions sessions,
      PythonSessions pythonSessions,
      AccountRevocation revocation) {
    this.database = database;
    this.accounts = accounts;
    this.sessions = sessions;
    this.pythonSessions = pythonSessions;
    this.revocation = revocation;
  }

  /** Which sessions end. */
  public enum Scope {
    /** The token's own. */
    LOCAL,
    /** All of the account but the token's own. */
    OTHERS,
    /** All of the account, and whatever else its credentials have opened. */
    GLOBAL;

    /** The scope of that word. */
    public static Optional<Scope> of(String word) {
      for (Scope scope : values()) {
        if (scope.name().toLowerCase(Locale.ROOT).equals(word)) {
          return Optional.of(scope);
        }
      }
      return Optional.empty();
    }
  }

  /**
   * Leaves. A token that names no living session has nothing to end, which is no error; a token
   * that its session has left behind ends that session only.
   */
  public void leave(Secret token, Scope scope, Client client) {
    Presented presented = sessions.identify(token);
    if (presented instanceof Presented.Nothing) {
      leaveWithPythonToken(token, scope, client);
    } else {
      leave(presented, scope, client);
    }
  }

  private void leaveWithPythonToken(Secret token, Scope scope, Client client) {
    Optional<Account> unused = pythonSessions.unused(token);
    if (scope == Scope.OTHERS) {
      // Every such token of the account ends; what this one stands for goes on as its session.
      pythonSessions.open(token, client);
    } else {
      pythonSessions.blacklist(token);
    }
    if (unused.isPresent() && scope == Scope.GLOBAL) {
      end(unused.get().id(), Optional.empty(), scope, client);
    }
    // Asked last: a refresh that was faster than the blacklisting has opened a session.
    leave(pythonSessions.identify(token), scope, client);
  }

  private void leave(Presented presented, Scope scope, Client client) {
    switch (presented) {
      case Presented.Nothing _ -> {}
      case Presented.Stale(var userId, var sessionId) ->
          end(userId, Optional.of(sessionId), Scope.LOCAL, client);
      case Presented.Good(var userId, var sessionId, var _) ->
          end(userId, Optional.of(sessionId), scope, client);
    }
  }

  private void end(long userId, Optional<String> sessionId, Scope scope, Client client) {
    database.transaction(tx -> {
      accounts.lock(tx, userId);
      switch (scope) {
        case LOCAL -> sessionId.ifPresent(id -> sessions.end(tx, userId, id, client));
        case OTHERS -> sessions.endAll(tx, userId, sessionId, client);
        case GLOBAL -> {
          accounts.raiseCredentials(tx, userId);
          revocation.revokeAll(tx, userId, client);
        }
      }
      return true;
    });
  }
}
