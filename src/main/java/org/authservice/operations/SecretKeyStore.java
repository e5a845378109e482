package org.authservice.operations;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.authservice.database.Statement;

/** All SQL on {@code secret_keys}, and on the installation's lookup root. */
final class SecretKeyStore {
  /** A key that some node signs or signed with. */
  record Entry(String id, Instant neededUntil, Optional<Instant> distrustedAt) {}

  Statement<List<Entry>> all() {
    return Statement.rows(
        "SELECT id, needed_until, distrusted_at FROM secret_keys ORDER BY needed_until DESC, id",
        _ -> {},
        row ->
            new Entry(
                row.text("id"),
                row.millis("needed_until"),
                row.optionalNumber("distrusted_at").map(Instant::ofEpochMilli)));
  }

  Statement<Integer> announce(String id, Instant neededUntil) {
    return Statement.count(
        """
        INSERT INTO secret_keys (id, needed_until) VALUES (?, ?)
        ON CONFLICT (id) DO UPDATE SET needed_until = excluded.needed_until
        WHERE secret_keys.needed_until < excluded.needed_until
        """,
        p -> p.text(id).millis(neededUntil));
  }

  Statement<Integer> distrust(String id, Instant now) {
    return Statement.count(
        """
        INSERT INTO secret_keys (id, needed_until, distrusted_at) VALUES (?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET distrusted_at = excluded.distrusted_at
        WHERE secret_keys.distrusted_at IS NULL
        """,
        p -> p.text(id).millis(now).millis(now));
  }

  Statement<Optional<byte[]>> lookupRoot() {
    return Statement.row(
        "SELECT lookup_root FROM installation WHERE id = 1 AND lookup_root IS NOT NULL",
        _ -> {},
        row -> row.bytes("lookup_root"));
  }

  /**
   * What such a key signed is dead; one that is distrusted stays, or it would be believed again.
   */
  Statement<Integer> sweep(Instant expiredBefore, int most) {
    return Statement.count(
        """
        DELETE FROM secret_keys WHERE id IN (
          SELECT id FROM secret_keys WHERE needed_until < ? AND distrusted_at IS NULL
          LIMIT ? FOR UPDATE SKIP LOCKED)
        """,
        p -> p.millis(expiredBefore).number(most));
  }

  /** The first node's root stays. */
  Statement<Integer> keepLookupRoot(byte[] sealed) {
    return Statement.count(
        "UPDATE installation SET lookup_root = ? WHERE id = 1 AND lookup_root IS NULL",
        p -> p.bytes(sealed));
  }

  Statement<Integer> dropLookupRoot() {
    return Statement.count("UPDATE installation SET lookup_root = NULL WHERE id = 1", _ -> {});
  }

  Statement<Integer> resealLookupRoot(byte[] before, byte[] after) {
    return Statement.count(
        "UPDATE installation SET lookup_root = ? WHERE id = 1 AND lookup_root = ?",
        p -> p.bytes(after).bytes(before));
  }
}
