package org.authservice.audit;

import java.util.List;
import java.util.Map;
import org.authservice.database.Statement;

/** All SQL on {@code settings_seen}. */
final class SettingsSeenStore {
  /** What was seen last, by name. */
  Statement<List<Map.Entry<String, String>>> all() {
    return Statement.rows(
        "SELECT setting, fingerprint FROM settings_seen",
        p -> {},
        row -> Map.entry(row.text("setting"), row.text("fingerprint")));
  }

  /** Of nodes that start together with the same new value, one changes it. */
  Statement<Integer> change(String setting, String fingerprint) {
    return Statement.count(
        "UPDATE settings_seen SET fingerprint = ? WHERE setting = ? AND fingerprint <> ?",
        p -> p.text(fingerprint).text(setting).text(fingerprint));
  }

  Statement<Integer> insert(String setting, String fingerprint) {
    return Statement.count(
        """
        INSERT INTO settings_seen (setting, fingerprint) VALUES (?, ?)
        ON CONFLICT (setting) DO NOTHING
        """,
        p -> p.text(setting).text(fingerprint));
  }
}
