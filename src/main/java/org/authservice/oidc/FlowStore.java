package org.authservice.oidc;

import java.sql.SQLException;
import java.time.Instant;
import java.util.Optional;
import org.authservice.database.Row;
import org.authservice.database.Statement;

/** All SQL on {@code provider_flows} and {@code provider_nonces}. */
final class FlowStore {
  /** What is kept of a flow beside its hashes. */
  record Kept(byte[] sealed, Flows.Aim aim) {}

  Statement<Integer> insert(
      String stateHash, String browserHash, String provider, Kept kept, Instant expiresAt) {
    Flows.Aim aim = kept.aim();
    return Statement.count(
        """
        INSERT INTO provider_flows (state_hash, browser_hash, provider, sealed, redirect_to,
          code_challenge, app_state, user_id, session_id, credentials_version, expires_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        p ->
            p.text(stateHash)
                .text(browserHash)
                .text(provider)
                .bytes(kept.sealed())
                .text(aim.redirectTo())
                .text(aim.codeChallenge())
                .text(aim.appState())
                .number(aim.linking().map(Flows.Linker::userId))
                .text(aim.linking().map(Flows.Linker::sessionId))
                .number(aim.linking().map(it -> (long) it.credentialsVersion()))
                .millis(expiresAt));
  }

  /** Takes a flow out: once, in the browser it began in, while it lives. */
  Statement<Optional<Kept>> take(
      String stateHash, String browserHash, String provider, Instant now) {
    return Statement.row(
        """
        DELETE FROM provider_flows
        WHERE state_hash = ? AND browser_hash = ? AND provider = ? AND expires_at > ?
        RETURNING sealed, redirect_to, code_challenge, app_state, user_id, session_id,
          credentials_version
        """,
        p -> p.text(stateHash).text(browserHash).text(provider).millis(now),
        FlowStore::kept);
  }

  Statement<Integer> deleteAll(long userId) {
    return Statement.count("DELETE FROM provider_flows WHERE user_id = ?", p -> p.number(userId));
  }

  Statement<Integer> insertNonce(String nonceHash, Instant expiresAt) {
    return Statement.count(
        "INSERT INTO provider_nonces (nonce_hash, expires_at) VALUES (?, ?)",
        p -> p.text(nonceHash).millis(expiresAt));
  }

  Statement<Integer> spendNonce(String nonceHash, Instant now) {
    return Statement.count(
        "DELETE FROM provider_nonces WHERE nonce_hash = ? AND expires_at > ?",
        p -> p.text(nonceHash).millis(now));
  }

  /** Those that never came back. */
  Statement<Integer> sweep(Instant expiredBefore, int most) {
    return Statement.deleteOldest(
        "provider_flows", "expires_at < ?", "expires_at", p -> p.millis(expiredBefore), most);
  }

  /** Those that no app used. */
  Statement<Integer> sweepNonces(Instant expiredBefore, int most) {
    return Statement.deleteOldest(
        "provider_nonces", "expires_at < ?", "expires_at", p -> p.millis(expiredBefore), most);
  }

  private static Kept kept(Row row) throws SQLException {
    Optional<Long> userId = row.optionalNumber("user_id");
    Optional<Flows.Linker> linking = Optional.empty();
    if (userId.isPresent()) {
      linking =
          Optional.of(
              new Flows.Linker(
                  userId.get(), row.text("session_id"), row.integer("credentials_version")));
    }
    return new Kept(
        row.bytes("sealed"),
        new Flows.Aim(
            row.optionalText("redirect_to"),
            row.optionalText("code_challenge"),
            row.optionalText("app_state"),
            linking));
  }
}
