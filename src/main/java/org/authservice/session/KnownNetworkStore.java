package org.authservice.session;

import java.time.Instant;
import java.util.Optional;
import org.authservice.database.Statement;

/** All SQL on {@code known_networks}. */
final class KnownNetworkStore {
  /** No row changes when it was there and has been seen since that moment. */
  Statement<Integer> insert(long userId, String network, Instant now, Instant unseenSince) {
    return Statement.count(
        """
        INSERT INTO known_networks AS n (user_id, network, seen_at) VALUES (?, ?, ?)
        ON CONFLICT (user_id, network) DO UPDATE SET seen_at = excluded.seen_at
        WHERE n.seen_at < ?
        """,
        p -> p.number(userId).text(network).millis(now).millis(unseenSince));
  }

  Statement<Integer> seen(long userId, String network, Instant now, Instant before) {
    return Statement.count(
        "UPDATE known_networks SET seen_at = ? WHERE user_id = ? AND network = ? AND seen_at < ?",
        p -> p.millis(now).number(userId).text(network).millis(before));
  }

  /** Another network of the account, if it has one. */
  Statement<Optional<String>> other(long userId, String network) {
    return Statement.row(
        "SELECT network FROM known_networks WHERE user_id = ? AND network <> ? LIMIT 1",
        p -> p.number(userId).text(network),
        row -> row.text("network"));
  }

  Statement<Integer> deleteAllButNewest(long userId, int keep) {
    return Statement.count(
        """
        DELETE FROM known_networks WHERE user_id = ? AND network NOT IN
          (SELECT network FROM known_networks WHERE user_id = ?
           ORDER BY seen_at DESC, network LIMIT ?)
        """,
        p -> p.number(userId).number(userId).number(keep));
  }

  Statement<Integer> forget(long userId) {
    return Statement.count("DELETE FROM known_networks WHERE user_id = ?", p -> p.number(userId));
  }

  Statement<Integer> sweep(Instant unseenSince, int most) {
    return Statement.count(
        """
        DELETE FROM known_networks WHERE (user_id, network) IN (
          SELECT user_id, network FROM known_networks WHERE seen_at < ?
          ORDER BY seen_at LIMIT ? FOR UPDATE SKIP LOCKED)
        """,
        p -> p.millis(unseenSince).number(most));
  }
}
