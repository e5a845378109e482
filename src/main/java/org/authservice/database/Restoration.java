package org.authservice.database;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import org.authservice.settings.DatabaseSettings;
import org.authservice.settings.StartFailure;

/**
 * What a database needs after it was brought back from a backup, before a node starts on it. What
 * works once may have been used since, so none of it works any more; mails may have left. Accounts
 * made since are lost, but tokens that name them are not: nobody is given their numbers.
 */
public final class Restoration {
  private static final long SILENCE_MILLIS = 30_000;

  /** More accounts than are made between a backup and its restoring. */
  private static final int SKIPPED_IDS = 100_000;

  private static final List<String> STEPS =
      List.of(
          "UPDATE codes SET ended_at = created_at WHERE ended_at IS NULL",
          "DELETE FROM otps",
          "DELETE FROM reset_tokens",
          "DELETE FROM exchange_codes",
          "DELETE FROM provider_flows",
          "DELETE FROM provider_nonces",
          "UPDATE outbox SET state = 'dead', reason = 'restored from a backup', payload = NULL,"
              + " finished_at = created_at WHERE state = 'queued'",
          "DELETE FROM nodes",
          "DELETE FROM node_settings",
          "DELETE FROM leases");

  private final DatabaseSettings settings;

  /** That database. */
  public Restoration(DatabaseSettings settings) {
    this.settings = settings;
  }

  /** Brings the schema up to date, then does what is needed. */
  public void finish() {
    new Migrations(settings).migrate();
    try (MigrationSession session = MigrationSession.open(settings.location())) {
      session.lock();
      try (java.sql.Statement statement = session.connection().createStatement()) {
        for (String step : STEPS) {
          statement.execute(step);
        }
        statement.execute(session.dialect().skipUserIds(SKIPPED_IDS));
      }
      session.commit();
    } catch (SQLException failure) {
      throw new StartFailure(
          "cannot make the restored database ready: " + Failures.firstLine(failure), failure);
    }
  }

  /**
   * Makes sure that no node runs on the database.
   *
   * @throws StartFailure when one does, or did a moment before the backup was made
   */
  public void requireNoNode() {
    try (MigrationSession session = MigrationSession.look(settings.location())) {
      if (Origin.exists(session.connection(), session.dialect(), "nodes") && anyNode(session)) {
        throw new StartFailure(
            "a node runs on this database, or did half a minute ago: stop all nodes first", null);
      }
    } catch (SQLException failure) {
      throw new StartFailure(
          "cannot see whether a node runs: " + Failures.firstLine(failure), failure);
    }
  }

  private static boolean anyNode(MigrationSession session) throws SQLException {
    try (java.sql.Statement statement = session.connection().createStatement();
        ResultSet nodes =
            statement.executeQuery(
                "SELECT count(*) FROM nodes WHERE seen_at > %s - %d"
                    .formatted(session.dialect().epochMillis(), SILENCE_MILLIS))) {
      return nodes.next() && nodes.getLong(1) > 0;
    }
  }
}
