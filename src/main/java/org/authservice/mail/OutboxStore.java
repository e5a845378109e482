package org.authservice.mail;

import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.authservice.database.Row;
import org.authservice.database.Statement;

/**
 * All SQL on {@code outbox}. A queued mail without a payload was withdrawn: nobody sends it, and it
 * waits for a node that accounts for its end, as a command's process has no metrics and no log.
 */
final class OutboxStore {
  /** Why a mail of an erased account ends; its row goes as soon as that is accounted for. */
  static final String ERASED = "account erased";

  private static final Duration KEPT = Duration.ofDays(6);

  /**
   * A mail that this node has leased.
   *
   * @param template the name of one; perhaps of a newer version's
   */
  record Leased(
      String id,
      String recipient,
      String template,
      String languages,
      byte[] payload,
      int attempts,
      Instant createdAt,
      Instant expiresAt,
      Instant leaseEnd) {}

  /** A mail as an operator sees it. */
  record Listed(
      String id,
      String template,
      String recipient,
      String state,
      int attempts,
      Instant createdAt,
      Instant dueAt,
      Instant expiresAt,
      Optional<String> reason) {}

  /** A mail that was ended without being sent. */
  record Ended(String id, String template, String state, String reason) {}

  /** Queues a mail, in its account's languages before those of the request. */
  Statement<Integer> insert(String id, Mail mail, byte[] payload, Instant now) {
    return insert(id, mail, payload, "queued", now, Optional.empty());
  }

  /** What a mail to nobody leaves: a row like any other, never sent. */
  Statement<Integer> insertDecoy(String id, Mail mail, byte[] payload, Instant now) {
    return insert(id, mail, payload, "decoy", now, Optional.of(now.toEpochMilli()));
  }

  private static Statement<Integer> insert(
      String id, Mail mail, byte[] payload, String state, Instant now, Optional<Long> finishedAt) {
    return Statement.count(
            """
            INSERT INTO outbox (id, user_id, recipient, template, payload, state, attempts, due_at,
              lease_until, expires_at, created_at, finished_at, languages)
            VALUES (?, ?, ?, ?, ?, ?, 0, ?, 0, ?, ?, ?,
              coalesce((SELECT nullif(locale, '') FROM users WHERE id = ?), ?))
            """,
            p ->
                p.text(id)
                    .number(mail.userId())
                    .text(mail.recipient())
                    .text(mail.template().name())
                    .bytes(payload)
                    .text(state)
                    .millis(now)
                    .millis(mail.expiresAt())
                    .millis(now)
                    .number(finishedAt)
                    .number(mail.userId())
                    .text(mail.languages()))
        .gathered(
            """
            INSERT INTO outbox (id, user_id, recipient, template, payload, state, attempts,
              due_at, lease_until, expires_at, created_at, finished_at, languages)
            SELECT id, user_id, recipient, template, payload, state, 0,
              due_at, 0, expires_at, created_at, finished_at,
              coalesce((SELECT nullif(locale, '') FROM users WHERE users.id = speaker), languages)
            FROM unnest(?::varchar[], ?::bigint[], ?::varchar[], ?::varchar[], ?::bytea[],
                ?::varchar[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[],
                ?::varchar[])
              AS asked (id, user_id, recipient, template, payload, state, due_at, expires_at,
                created_at, finished_at, speaker, languages)
            """,
            id);
  }

  /** How many mails of a kind were queued for an account since then. */
  Statement<Optional<Integer>> queuedSince(long userId, Template template, Instant since) {
    return Statement.row(
        "SELECT count(*) AS mails FROM outbox WHERE user_id = ? AND template = ? AND created_at > ?",
        p -> p.number(userId).text(template.name()).millis(since),
        row -> row.integer("mails"));
  }

  /**
   * Leases mails that are due; two senders never lease the same one. Gathered not for the sake of
   * company, but for a plan by index, however small the table was when it was made.
   */
  Statement<List<Leased>> lease(int most, Instant now, Instant leaseEnd) {
    return Statement.rows(
            """
            UPDATE outbox SET lease_until = ?, attempts = attempts + 1
            WHERE ctid = ANY (ARRAY(SELECT ctid FROM outbox
              WHERE state = 'queued' AND due_at <= ? AND lease_until <= ? AND payload IS NOT NULL
              ORDER BY due_at LIMIT ? FOR UPDATE SKIP LOCKED))
            RETURNING id, recipient, template, languages, payload, attempts, created_at, expires_at,
              lease_until
            """,
            p -> p.millis(leaseEnd).millis(now).millis(now).number(most),
            OutboxStore::leased)
        .gathered(
            """
            UPDATE outbox o SET lease_until = asked.lease_end, attempts = attempts + 1
            FROM unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[])
              WITH ORDINALITY AS asked (lease_end, due_by, free_by, most, item)
            CROSS JOIN LATERAL (SELECT ctid AS found FROM outbox
              WHERE state = 'queued' AND due_at <= due_by AND lease_until <= free_by
                AND payload IS NOT NULL
              ORDER BY due_at LIMIT most FOR UPDATE SKIP LOCKED) due
            WHERE o.ctid = due.found
            RETURNING item, id, recipient, template, languages, payload, attempts, created_at,
              expires_at, lease_until
            """,
            "lease");
  }

  /** Whether a leased mail is still to be sent, and by this node. */
  Statement<Optional<String>> wanted(Leased mail) {
    return Statement.row(
        """
        SELECT id FROM outbox
        WHERE id = ? AND state = 'queued' AND lease_until = ? AND payload IS NOT NULL
        """,
        p -> p.text(mail.id()).millis(mail.leaseEnd()),
        row -> row.text("id"));
  }

  /** Ends a mail and wipes what was in it, unless another node holds it by now. */
  Statement<Integer> finish(Leased mail, String state, Optional<String> reason, Instant now) {
    return Statement.count(
            """
            UPDATE outbox SET state = ?, reason = ?, payload = NULL, finished_at = ?
            WHERE id = ? AND state = 'queued' AND lease_until = ?
            """,
            p -> p.text(state).text(reason).millis(now).text(mail.id()).millis(mail.leaseEnd()))
        .gathered(
            """
            UPDATE outbox o SET state = asked.state, reason = asked.reason, payload = NULL,
              finished_at = asked.now
            FROM unnest(?::varchar[], ?::varchar[], ?::bigint[], ?::varchar[], ?::bigint[])
              WITH ORDINALITY AS asked (state, reason, now, id, lease_until, item)
            WHERE o.id = asked.id AND o.state = 'queued' AND o.lease_until = asked.lease_until
            RETURNING item
            """,
            mail.id());
  }

  /** Ends what is withdrawn, or past its life and in nobody's hands, some at a time. */
  Statement<List<Ended>> expire(int most, Instant now) {
    return Statement.rows(
            """
            UPDATE outbox SET state = CASE WHEN payload IS NULL THEN 'dead' ELSE 'expired' END,
              reason = CASE WHEN payload IS NULL THEN reason ELSE 'not sent in time' END,
              payload = NULL, finished_at = ?
            WHERE ctid = ANY (ARRAY(SELECT ctid FROM outbox
              WHERE state = 'queued' AND expires_at <= ? AND lease_until <= ?
              ORDER BY expires_at LIMIT ? FOR UPDATE SKIP LOCKED))
            RETURNING id, template, state, reason
            """,
            p -> p.millis(now).millis(now).millis(now).number(most),
            row ->
                new Ended(
                    row.text("id"), row.text("template"), row.text("state"), row.text("reason")))
        .gathered(
            """
            UPDATE outbox o SET state = CASE WHEN payload IS NULL THEN 'dead' ELSE 'expired' END,
              reason = CASE WHEN payload IS NULL THEN reason ELSE 'not sent in time' END,
              payload = NULL, finished_at = asked.now
            FROM unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[])
              WITH ORDINALITY AS asked (now, expired_by, free_by, most, item)
            CROSS JOIN LATERAL (SELECT ctid AS found FROM outbox
              WHERE state = 'queued' AND expires_at <= expired_by AND lease_until <= free_by
              ORDER BY expires_at LIMIT most FOR UPDATE SKIP LOCKED) past
            WHERE o.ctid = past.found
            RETURNING item, id, template, state, reason
            """,
            "expire");
  }

  Statement<Integer> retry(Leased mail, String reason, Instant dueAt) {
    return Statement.count(
        """
        UPDATE outbox SET reason = ?, due_at = ?, lease_until = 0
        WHERE id = ? AND state = 'queued' AND lease_until = ?
        """,
        p -> p.text(reason).millis(dueAt).text(mail.id()).millis(mail.leaseEnd()));
  }

  /** The newest mails, for the operator. */
  Statement<List<Listed>> list(String state, int most) {
    return Statement.rows(
        """
        SELECT id, template, recipient, state, attempts, created_at, due_at, expires_at, reason
        FROM outbox
        WHERE CASE WHEN state = 'queued' AND payload IS NULL THEN 'dead' ELSE state END = ?
        ORDER BY created_at DESC LIMIT ?
        """,
        p -> p.text(state).number(most),
        row ->
            new Listed(
                row.text("id"),
                row.text("template"),
                row.text("recipient"),
                row.text("state"),
                row.integer("attempts"),
                row.millis("created_at"),
                row.millis("due_at"),
                row.millis("expires_at"),
                row.optionalText("reason")));
  }

  Statement<Integer> dueNow(String id, Instant now) {
    return Statement.count(
        "UPDATE outbox SET due_at = ? WHERE id = ? AND state = 'queued' AND payload IS NOT NULL",
        p -> p.millis(now).text(id));
  }

  Statement<Integer> allDueNow(Instant now) {
    return Statement.count(
        """
        UPDATE outbox SET due_at = ?
        WHERE state = 'queued' AND due_at > ? AND payload IS NOT NULL
        """,
        p -> p.millis(now).millis(now));
  }

  /** Withdraws a mail from whoever has leased it. */
  Statement<Integer> drop(String id, Instant now) {
    return Statement.count(
        """
        UPDATE outbox SET reason = 'dropped by the operator', payload = NULL, lease_until = 0,
          expires_at = ?
        WHERE id = ? AND state = 'queued' AND payload IS NOT NULL
        """,
        p -> p.millis(now).text(id));
  }

  Statement<Optional<Instant>> oldestQueued() {
    return Statement.row(
        "SELECT min(created_at) AS oldest FROM outbox WHERE state = 'queued' AND payload IS NOT NULL",
        p -> {},
        row -> row.optionalNumber("oldest").map(Instant::ofEpochMilli).orElse(Instant.MAX));
  }

  /** Withdraws an account's mails that have not ended, and leaves nothing personal of them. */
  Statement<Integer> withdraw(long userId, Instant now) {
    return Statement.count(
        """
        UPDATE outbox SET reason = ?, payload = NULL, lease_until = 0, expires_at = ?,
          user_id = NULL, recipient = '', languages = ''
        WHERE user_id = ? AND state = 'queued'
        """,
        p -> p.text(ERASED).millis(now).number(userId));
  }

  /** Removes a mail that has ended. */
  Statement<Integer> remove(String id) {
    return Statement.count(
        "DELETE FROM outbox WHERE id = ? AND state <> 'queued'", p -> p.text(id));
  }

  /** Removes an account's other mails. */
  Statement<Integer> forget(long userId) {
    return Statement.count("DELETE FROM outbox WHERE user_id = ?", p -> p.number(userId));
  }

  /** What became of a mail is kept for a while, for whoever asks. */
  Statement<Integer> sweep(Instant expiredBefore, int most) {
    return Statement.deleteOldest(
        "outbox",
        "created_at < ? AND expires_at < ?",
        "created_at",
        p -> p.millis(expiredBefore.minus(KEPT)).millis(expiredBefore),
        most);
  }

  private static Leased leased(Row row) throws SQLException {
    return new Leased(
        row.text("id"),
        row.text("recipient"),
        row.text("template"),
        row.text("languages"),
        row.bytes("payload"),
        row.integer("attempts"),
        row.millis("created_at"),
        row.millis("expires_at"),
        row.millis("lease_until"));
  }
}
