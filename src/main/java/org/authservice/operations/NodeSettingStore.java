package org.authservice.operations;

import java.time.Instant;
import java.util.List;
import org.authservice.database.Statement;

/** All SQL on {@code node_settings}. */
final class NodeSettingStore {
  Statement<Integer> announce(String node, String setting, String fingerprint, Instant now) {
    return Statement.count(
        """
        INSERT INTO node_settings (node, setting, fingerprint, seen_at) VALUES (?, ?, ?, ?)
        ON CONFLICT (node, setting) DO UPDATE SET seen_at = excluded.seen_at
        """,
        p -> p.text(node).text(setting).text(fingerprint).millis(now));
  }

  /** The settings of which another node that lives has another fingerprint. */
  Statement<List<String>> disagreements(String node, Instant since) {
    return Statement.rows(
        """
        SELECT DISTINCT mine.setting AS setting FROM node_settings mine
        JOIN node_settings other ON other.setting = mine.setting AND other.node <> mine.node
        WHERE mine.node = ? AND other.seen_at > ? AND other.fingerprint <> mine.fingerprint
        ORDER BY setting
        """,
        p -> p.text(node).millis(since),
        row -> row.text("setting"));
  }

  Statement<Integer> forget(Instant unseenSince) {
    return Statement.count(
        "DELETE FROM node_settings WHERE seen_at < ?", p -> p.millis(unseenSince));
  }
}
