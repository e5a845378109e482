package org.authservice.operations;

import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.authservice.database.Database;
import org.authservice.secret.Hmac;
import org.authservice.secret.Keyring;
import org.authservice.secret.Secrets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether the nodes run with the same settings. Each announces a fingerprint of every setting that
 * must agree, an HMAC under a key of the installation's own, so that the table tells nobody a
 * value; each warns for as long as another one differs. In a rolling restart that is expected.
 */
public final class Agreement {
  private static final Logger log = LoggerFactory.getLogger(Agreement.class);
  private static final String SECRET_KEY = "SECRET_KEY";
  private static final Duration INTERVAL = Duration.ofMinutes(1);

  /** A node that has not been seen for so long has stopped. */
  private static final Duration ALIVE = Duration.ofMinutes(3);

  private final NodeSettingStore store = new NodeSettingStore();
  private final Database database;
  private final Map<String, String> settings;
  private final String keyId;
  private final Hmac hmac;
  private final Clock clock;
  private final String node;
  private final AtomicInteger disagreements;
  private final Worker worker;

  /**
   * What this node announces.
   *
   * @param settings the values that must be the same on every node, by name
   */
  public Agreement(
      Database database,
      Map<String, String> settings,
      Keyring keyring,
      Clock clock,
      Secrets secrets,
      MeterRegistry meters) {
    this.database = database;
    this.settings = Map.copyOf(settings);
    this.keyId = keyring.current().id();
    this.hmac = keyring.lookup("settings fingerprint");
    this.clock = clock;
    this.node = secrets.id();
    this.disagreements = meters.gauge("auth.settings.disagreements", new AtomicInteger());
    this.worker = new Worker("settings", INTERVAL, this::compare, meters);
  }

  /** What announces and compares. */
  public Worker worker() {
    return worker;
  }

  private void compare() {
    Instant now = clock.instant();
    List<String> differing =
        database.transaction(tx -> {
          tx.run(store.announce(node, SECRET_KEY, hmac.over(SECRET_KEY, keyId), now));
          settings.forEach(
              (name, value) -> tx.run(store.announce(node, name, hmac.over(name, value), now)));
          tx.run(store.forget(now.minus(ALIVE)));
          return tx.run(store.disagreements(node, now.minus(ALIVE)));
        });
    // Nodes without a key in common have no fingerprint in common either.
    boolean all = differing.size() > settings.size();
    List<String> told = all ? List.of(SECRET_KEY) : differing;
    disagreements.set(told.size());
    if (!told.isEmpty()) {
      log.warn(
          "another node runs with other values of {}: compare bin/auth settings on every node",
          String.join(", ", told));
    }
  }
}
