package org.authservice.mail;

import java.time.Instant;
import org.authservice.database.Statement;

/** All SQL on {@code mail_event_signatures}. */
final class MailEventStore {
  /** Takes note of a signature; 0 when it was taken before. */
  Statement<Integer> take(String signatureHash, Instant expiresAt) {
    return Statement.count(
        """
        INSERT INTO mail_event_signatures (signature_hash, expires_at) VALUES (?, ?)
        ON CONFLICT DO NOTHING
        """,
        p -> p.text(signatureHash).millis(expiresAt));
  }

  Statement<Integer> sweep(Instant expiredBefore, int most) {
    return Statement.deleteOldest(
        "mail_event_signatures",
        "expires_at < ?",
        "expires_at",
        p -> p.millis(expiredBefore),
        most);
  }
}
