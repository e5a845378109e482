package org.authservice.audit;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.authservice.database.Database;
import org.authservice.database.Transaction;
import org.authservice.http.Client;
import org.authservice.secret.Hmac;
import org.authservice.secret.Keyring;
import org.authservice.secret.Secret;

/**
 * Notices at the start of a node that a setting is another than at the start before, on whichever
 * node that was. Only codes of the values are kept.
 */
final class SettingsSeen {
  private static final int LONGEST_NAME = 40;
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
   * @param secrets the same of what is masked everywhere else
   */
  void compare(Map<String, String> settings, Map<String, Secret> secrets) {
    Map<String, String> fingerprints = new TreeMap<>();
    settings.forEach((name, value) -> fingerprints.put(named(name), hmac.over(value)));
    secrets.forEach(
        (name, value) -> fingerprints.put(named(name), hmac.over("secret", name, value.reveal())));
    fingerprints.entrySet().removeAll(database.read(store.all()));
    if (!fingerprints.isEmpty()) {
      database.transaction(tx -> {
        fingerprints.forEach((name, fingerprint) -> note(tx, name, fingerprint));
        return true;
      });
    }
  }

  /** As it fits the tables: the names of programs and providers may be long. */
  private static String named(String name) {
    return name.substring(0, Math.min(name.length(), LONGEST_NAME));
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
