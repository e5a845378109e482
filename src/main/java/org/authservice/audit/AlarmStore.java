package org.authservice.audit;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.authservice.database.Statement;

/** All SQL on {@code alarms}. */
final class AlarmStore {
  /** An alarm that this node is sending. */
  record Leased(String id, byte[] payload, int attempts, Instant expiresAt, Instant leaseEnd) {}

  Statement<Integer> insert(String id, byte[] payload, Instant now, Instant expiresAt) {
    return Statement.count(
        """
        INSERT INTO alarms
          (id, payload, state, attempts, due_at, lease_until, expires_at, created_at)
        VALUES (?, ?, 'queued', 0, ?, 0, ?, ?)
        """,
        p -> p.text(id).bytes(payload).millis(now).millis(expiresAt).millis(now));
  }

  /** Leases alarms that are due; two senders never lease the same one. */
  Statement<List<Leased>> lease(int most, Instant now, Instant leaseEnd) {
    return Statement.rows(
        """
        UPDATE alarms SET lease_until = ?, attempts = attempts + 1
        WHERE ctid = ANY (ARRAY(SELECT ctid FROM alarms
          WHERE state = 'queued' AND due_at <= ? AND lease_until <= ?
          ORDER BY due_at LIMIT ? FOR UPDATE SKIP LOCKED))
        RETURNING id, payload, attempts, expires_at, lease_until
        """,
        p -> p.millis(leaseEnd).millis(now).millis(now).number(most),
        row ->
            new Leased(
                row.text("id"),
                row.bytes("payload"),
                row.integer("attempts"),
                row.millis("expires_at"),
                row.millis("lease_until")));
  }

  /** Ends an alarm and wipes what was in it, unless another node holds it by now. */
  Statement<Integer> finish(Leased alarm, String state, Optional<String> reason, Instant now) {
    return Statement.count(
        """
        UPDATE alarms SET state = ?, reason = ?, payload = NULL, finished_at = ?
        WHERE id = ? AND state = 'queued' AND lease_until = ?
        """,
        p -> p.text(state).text(reason).millis(now).text(alarm.id()).millis(alarm.leaseEnd()));
  }

  Statement<Integer> retry(Leased alarm, String reason, Instant dueAt) {
    return Statement.count(
        """
        UPDATE alarms SET reason = ?, due_at = ?, lease_until = 0
        WHERE id = ? AND state = 'queued' AND lease_until = ?
        """,
        p -> p.text(reason).millis(dueAt).text(alarm.id()).millis(alarm.leaseEnd()));
  }

  /** Ended alarms, and those that nobody sends any more. */
  Statement<Integer> sweep(Instant expiredBefore, int most) {
    return Statement.deleteOldest(
        "alarms", "expires_at < ?", "expires_at", p -> p.millis(expiredBefore), most);
  }
}
