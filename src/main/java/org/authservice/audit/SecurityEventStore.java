package org.authservice.audit;

import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import org.authservice.database.Row;
import org.authservice.database.Statement;

/** All SQL on {@code security_events}. */
final class SecurityEventStore {
  private static final String COLUMNS =
      """
      id, at, type, outcome, user_id, session_id, address, user_agent
      """;

  Statement<Integer> insert(String id, Instant at, SecurityEvent event, String personal) {
    return Statement.count(
            """
            INSERT INTO security_events
              (id, at, type, outcome, user_id, session_id, address, user_agent, request_id, personal)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
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
                    .text(event.client().requestId())
                    .text(personal))
        .gathered(
            """
            WITH asked AS (
              SELECT * FROM unnest(?::varchar[], ?::bigint[], ?::varchar[], ?::varchar[],
                  ?::bigint[], ?::varchar[], ?::varchar[], ?::varchar[], ?::varchar[],
                  ?::varchar[])
                WITH ORDINALITY AS asked (id, at, type, outcome, user_id, session_id, address,
                  user_agent, request_id, personal, item)),
            made AS (
              INSERT INTO security_events (id, at, type, outcome, user_id, session_id, address,
                user_agent, request_id, personal)
              SELECT id, at, type, outcome, user_id, session_id, address,
                user_agent, request_id, personal FROM asked)
            SELECT item FROM asked
            """,
            id);
  }

  Statement<Integer> anonymise(long userId) {
    return Statement.count(
        """
        UPDATE security_events SET address = '', user_agent = '', request_id = ''
        WHERE user_id = ?
        """,
        p -> p.number(userId));
  }

  /** An account's events before a position, newest first. */
  Statement<List<RecordedEvent>> of(long userId, SecurityEvents.Position before, int most) {
    return Statement.rows(
        "SELECT "
            + COLUMNS
            + """
            FROM security_events WHERE user_id = ? AND (at < ? OR (at = ? AND id < ?))
            ORDER BY at DESC, id DESC LIMIT ?
            """,
        p ->
            p.number(userId).millis(before.at()).millis(before.at()).text(before.id()).number(most),
        SecurityEventStore::event);
  }

  Statement<List<RecordedEvent>> search(SecurityEvents.Search search) {
    String type = search.type().map(SecurityEvent.Type::code).orElse("");
    long user = search.userId().orElse(0L);
    return Statement.rows(
        "SELECT "
            + COLUMNS
            + """
            FROM security_events WHERE at >= ? AND (? = 0 OR user_id = ?) AND (? = '' OR type = ?)
            ORDER BY at DESC, id DESC LIMIT ?
            """,
        p ->
            p.millis(search.since())
                .number(user)
                .number(user)
                .text(type)
                .text(type)
                .number(search.most()),
        SecurityEventStore::event);
  }

  /** Events of before then. */
  Statement<Integer> sweep(Instant before, int most) {
    return Statement.deleteOldest("security_events", "at < ?", "at", p -> p.millis(before), most);
  }

  private static RecordedEvent event(Row row) throws SQLException {
    return new RecordedEvent(
        row.text("id"),
        row.millis("at"),
        row.text("type"),
        row.text("outcome"),
        row.optionalNumber("user_id"),
        row.optionalText("session_id"),
        row.text("address"),
        row.text("user_agent"));
  }
}
