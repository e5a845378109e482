package org.authservice.audit;

import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.authservice.database.Database;
import org.authservice.database.LaggingReads;
import org.authservice.operations.Sweep;
import org.authservice.operations.Worker;
import org.authservice.secret.Keyring;
import org.authservice.secret.Secret;
import org.authservice.secret.Secrets;
import org.authservice.settings.Settings;

/** The record of security events, with what watches over it and what tells of it. */
public final class Audit {
  private final SecurityEvents events;
  private final Seals seals;
  private final Alarms alarms;
  private final SettingsSeen settingsSeen;
  private final Settings settings;

  /** A record in that database. */
  public Audit(
      Database database,
      LaggingReads lagging,
      Settings settings,
      Keyring keyring,
      Clock clock,
      Secrets secrets,
      MeterRegistry meters) {
    this.settings = settings;
    alarms = new Alarms(database, settings.alarms().webhook(), keyring, clock, secrets, meters);
    events = new SecurityEvents(database, lagging, alarms, keyring, clock, secrets, meters);
    seals = new Seals(database, keyring, settings.audit().kept(), clock, meters);
    settingsSeen = new SettingsSeen(database, keyring, events);
  }

  /** What happens is written here. */
  public SecurityEvents events() {
    return events;
  }

  /** The evidence that nobody changed it. */
  public Seals seals() {
    return seals;
  }

  /** Records which of these settings and secrets changed since a node last started. */
  public void compare(Map<String, String> watched, Map<String, Secret> secrets) {
    settingsSeen.compare(watched, secrets);
  }

  /** What seals, and what sends alarms. */
  public List<Worker> workers() {
    return List.of(seals.worker(), alarms.sender());
  }

  /** What clean-up may delete. */
  public List<Sweep> sweeps() {
    return Stream.of(
            events.sweeps(settings.audit().kept()),
            seals.sweeps(settings.audit().kept()),
            alarms.sweeps())
        .flatMap(List::stream)
        .toList();
  }
}
