package org.authservice.audit;

import java.time.Instant;
import org.authservice.database.Statement;

/** All SQL on {@code security_events}. */
final class SecurityEventStore {
  Statement<Integer> insert(String id, Instant at, SecurityEvent event) {
    return Statement.count(
        """
        INSERT INTO security_events
          (id, at, type, outcome, user_id, session_id, address, user_agent, request_id)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        p ->
            p.text(id)
                .millis(at)
                .text(event.type().code())
                .text(event.outcome())
                .number(event.userId())
                .text(event.sessionId())
                .text(event.client().address())
                .text(event.client().userAgent())
                .text(event.client().requestId()));
  }

  Statement<Integer> anonymise(long userId) {
    return Statement.count(
        """
        UPDATE security_events SET address = '', user_agent = '', request_id = ''
        WHERE user_id = ?
        """,
        p -> p.number(userId));
  }

  /** Events of before then. */
  Statement<Integer> sweep(Instant before, int most) {
    return Statement.count(
        """
        DELETE FROM security_events WHERE id IN (
          SELECT id FROM security_events WHERE at < ?
          ORDER BY at LIMIT ? FOR UPDATE SKIP LOCKED)
        """,
        p -> p.millis(before).number(most));
  }
}
