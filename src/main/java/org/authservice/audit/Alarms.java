package org.authservice.audit;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.authservice.database.Database;
import org.authservice.database.Transaction;
import org.authservice.json.Json;
import org.authservice.json.JsonObject;
import org.authservice.operations.Sweep;
import org.authservice.operations.Worker;
import org.authservice.secret.Keyring;
import org.authservice.secret.Sealer;
import org.authservice.secret.Secrets;
import org.authservice.settings.AlarmSettings;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Suspicious events on their way to {@code SECURITY_WEBHOOK_URL}. One is queued in the transaction
 * that records the event, encrypted, and sent by a worker until the other side takes it, for a day
 * at most. It may arrive twice, with the same {@code webhook-id}.
 */
final class Alarms {
  private static final Logger log = LoggerFactory.getLogger(Alarms.class);
  private static final Duration POLL = Duration.ofSeconds(2);
  private static final Duration LIFE = Duration.ofDays(1);
  private static final Duration LEASE = Duration.ofMinutes(2);
  private static final Duration FIRST_PAUSE = Duration.ofSeconds(10);
  private static final int MOST_DOUBLINGS = 8;
  private static final int BATCH = 10;
  private static final int LONGEST_REASON = 200;

  private final AlarmStore store = new AlarmStore();
  private static final List<String> OUTCOMES = List.of("sent", "retried", "expired", "dead");

  private final Database database;
  private final Optional<AlarmHook> hook;
  private final Sealer sealer;
  private final Clock clock;
  private final MeterRegistry meters;
  private final Worker sender;

  /** Alarms in that database; nothing is queued while no webhook is set. */
  Alarms(
      Database database,
      Optional<AlarmSettings.Webhook> webhook,
      Keyring keyring,
      Clock clock,
      Secrets secrets,
      MeterRegistry meters) {
    this.database = database;
    this.hook = webhook.map(it -> new AlarmHook(it, clock));
    this.sealer = keyring.sealer("alarm", secrets);
    this.clock = clock;
    this.meters = meters;
    this.sender = new Worker("alarms", POLL, this::send, meters);
    OUTCOMES.forEach(this::counter); // an alert sees no increase where nothing was before
  }

  /** What sends them. */
  Worker sender() {
    return sender;
  }

  /** What clean-up may delete. */
  List<Sweep> sweeps() {
    return List.of(new Sweep("alarms", store::sweep));
  }

  /** Whether anybody is told. */
  boolean wanted() {
    return hook.isPresent();
  }

  /** Queues an event that was recorded under that id. */
  void queue(Transaction tx, String id, SecurityEvent event) {
    Instant now = clock.instant();
    byte[] payload = sealer.seal(Json.write(json(now, event)), id);
    tx.send(store.insert(id, payload, now, now.plus(LIFE)));
    tx.afterCommit(sender::wake);
  }

  private static JsonObject json(Instant at, SecurityEvent event) {
    JsonObject data =
        JsonObject.of("outcome", event.outcome())
            .put("user_id", event.userId().map(String::valueOf).orElse(null))
            .put("session_id", event.sessionId().orElse(null))
            .put("address", event.client().address())
            .put("user_agent", event.client().userAgent())
            .put("request_id", event.client().requestId());
    return JsonObject.of("type", "security." + event.type().code())
        .put("timestamp", at.toString())
        .put("data", data);
  }

  private synchronized void send() {
    if (hook.isEmpty()) {
      return;
    }
    List<AlarmStore.Leased> due;
    do {
      Instant now = clock.instant();
      due = database.commit(store.lease(BATCH, now, now.plus(LEASE)));
      due.forEach(alarm -> send(hook.get(), alarm));
    } while (due.size() == BATCH);
  }

  private void send(AlarmHook to, AlarmStore.Leased alarm) {
    if (!alarm.expiresAt().isAfter(clock.instant())) {
      finish(alarm, "expired", Optional.empty());
      return;
    }
    try {
      String payload = new String(sealer.open(alarm.payload(), alarm.id()), StandardCharsets.UTF_8);
      switch (to.post(alarm.id(), payload)) {
        case AlarmHook.Outcome.Taken _ -> finish(alarm, "sent", Optional.empty());
        case AlarmHook.Outcome.Gone _ -> finish(alarm, "dead", Optional.of("status 410"));
        case AlarmHook.Outcome.Failed(var reason) -> again(alarm, reason);
      }
    } catch (GeneralSecurityException unreadable) {
      finish(alarm, "dead", Optional.of("sealed under a key that is gone"));
    }
  }

  private void again(AlarmStore.Leased alarm, String reason) {
    Duration pause = FIRST_PAUSE.multipliedBy(1L << Math.min(alarm.attempts() - 1, MOST_DOUBLINGS));
    String shortened = reason.substring(0, Math.min(reason.length(), LONGEST_REASON));
    database.commit(store.retry(alarm, shortened, clock.instant().plus(pause)));
    count("retried");
    log.warn("alarm {} was not taken ({}): next try in {}", alarm.id(), shortened, pause);
  }

  private void finish(AlarmStore.Leased alarm, String state, Optional<String> reason) {
    database.commit(store.finish(alarm, state, reason, clock.instant()));
    count(state);
    if (!state.equals("sent")) {
      log.error("alarm {} ended {}{}", alarm.id(), state, reason.map(it -> ": " + it).orElse(""));
    }
  }

  private void count(String outcome) {
    counter(outcome).increment();
  }

  private Counter counter(String outcome) {
    return meters.counter("auth.alarms", "outcome", outcome);
  }
}
