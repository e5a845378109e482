package org.authservice.audit;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.authservice.database.Database;
import org.authservice.database.Transaction;
import org.authservice.http.Client;
import org.authservice.secret.Hmac;
import org.authservice.secret.Keyring;

/**
 * Notices at the start of a node that a setting is another than at the start before, on whichever
 * node that was. Only codes of the values are kept.
 */
final class SettingsSeen {
  private static final Client NODE = new Client("", "auth-service", Optional.empty(), "start");

  private final SettingsSeenStore store = new SettingsSeenStore();
  private final Database database;
  private final Hmac hmac;
  private final SecurityEvents events;

  /** What was seen in that database. */
  SettingsSeen(Database database, Keyring keyring, SecurityEvents events) {
    this.database = database;
    this.hmac = keyring.lookup("settings seen");
    this.events = events;
  }

  /**
   * Records an event for each setting that changed; the first time, none.
   *
   * @param settings values by name; the name becomes the event's outcome
   */
  void compare(Map<String, String> settings) {
    Map<String, String> fingerprints = new TreeMap<>(settings);
    fingerprints.replaceAll(hmac::over);
    fingerprints.entrySet().removeAll(database.read(store.all()));
    if (!fingerprints.isEmpty()) {
      database.transaction(tx -> {
        fingerprints.forEach((name, fingerprint) -> note(tx, name, fingerprint));
        return true;
      });
    }
  }

  private void note(Transaction tx, String name, String fingerprint) {
    if (tx.run(store.change(name, fingerprint)) == 1) {
      events.record(
          tx,
          new SecurityEvent(
              SecurityEvent.Type.SETTING_CHANGED, name, Optional.empty(), Optional.empty(), NODE));
    } else {
      tx.run(store.insert(name, fingerprint));
    }
  }
}
