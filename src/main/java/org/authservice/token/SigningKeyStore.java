package org.authservice.token;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.authservice.database.Statement;

/** All SQL on {@code signing_keys}. */
final class SigningKeyStore {
  private static final Duration REVOKED_SHOWN = Duration.ofDays(90);

  /**
   * A key pair's row.
   *
   * @param publicKey X.509
   * @param privateKey PKCS #8, encrypted
   */
  @SuppressWarnings("ArrayRecordComponent") // nobody compares rows
  record Entry(
      String kid,
      String algorithm,
      byte[] publicKey,
      byte[] privateKey,
      Instant createdAt,
      Instant signsFrom,
      Optional<Instant> revokedAt) {}

  /** All keys, in the order in which they sign. */
  Statement<List<Entry>> all() {
    return Statement.rows(
        """
        SELECT kid, algorithm, public_key, private_key, created_at, signs_from, revoked_at
        FROM signing_keys ORDER BY signs_from, created_at, kid
        """,
        _ -> {},
        row ->
            new Entry(
                row.text("kid"),
                row.text("algorithm"),
                row.bytes("public_key"),
                row.bytes("private_key"),
                row.millis("created_at"),
                row.millis("signs_from"),
                row.optionalNumber("revoked_at").map(Instant::ofEpochMilli)));
  }

  Statement<Integer> insert(Entry entry) {
    return Statement.count(
        """
        INSERT INTO signing_keys
          (kid, algorithm, public_key, private_key, created_at, signs_from)
        VALUES (?, ?, ?, ?, ?, ?)
        """,
        p ->
            p.text(entry.kid())
                .text(entry.algorithm())
                .bytes(entry.publicKey())
                .bytes(entry.privateKey())
                .millis(entry.createdAt())
                .millis(entry.signsFrom()));
  }

  Statement<Integer> revoke(String kid, Instant now) {
    return Statement.count(
        "UPDATE signing_keys SET revoked_at = ? WHERE kid = ? AND revoked_at IS NULL",
        p -> p.millis(now).text(kid));
  }

  Statement<Integer> reseal(Entry entry, byte[] privateKey) {
    return Statement.count(
        "UPDATE signing_keys SET private_key = ? WHERE kid = ? AND private_key = ?",
        p -> p.bytes(privateKey).text(entry.kid()).bytes(entry.privateKey()));
  }

  /** Revoked long ago; until then the list of keys tells what became of them. */
  Statement<Integer> sweep(Instant expiredBefore, int most) {
    return Statement.count(
        """
        DELETE FROM signing_keys WHERE kid IN (
          SELECT kid FROM signing_keys WHERE revoked_at < ? LIMIT ? FOR UPDATE SKIP LOCKED)
        """,
        p -> p.millis(expiredBefore.minus(REVOKED_SHOWN)).number(most));
  }

  Statement<Integer> delete(String kid) {
    return Statement.count("DELETE FROM signing_keys WHERE kid = ?", p -> p.text(kid));
  }
}
