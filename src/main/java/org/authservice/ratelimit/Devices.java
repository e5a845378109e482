package org.authservice.ratelimit;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.authservice.database.Database;
import org.authservice.database.Transaction;
import org.authservice.http.Client;
import org.authservice.operations.Sweep;
import org.authservice.secret.Keyring;
import org.authservice.secret.Secret;
import org.authservice.secret.Secrets;
import org.authservice.secret.Signatures;

/**
 * Devices on which an account has signed in. A device's token proves nothing but that: it gives the
 * device budgets of its own, so that a stranger's wrong guesses cannot lock the owner out.
 */
public final class Devices {
  private static final Duration LIFE = Duration.ofDays(180);
  private static final int MOST_PER_ACCOUNT = 20;
  private static final Pattern TOKEN =
      Pattern.compile("([0-9a-f]{32})\\.([1-9][0-9]{0,17})\\.([0-9a-f]{64})");

  private final DeviceStore store = new DeviceStore();
  private final Database database;
  private final Signatures signatures;
  private final Clock clock;
  private final Secrets secrets;

  /** Devices in that database. */
  public Devices(Database database, Keyring keyring, Clock clock, Secrets secrets) {
    this.database = database;
    this.signatures = keyring.signatures("device token");
    this.clock = clock;
    this.secrets = secrets;
  }

  /** A device that was just made known. */
  public record Device(String id, Secret token) {}

  /** A device that a good token names. */
  public record KnownDevice(String deviceId, long userId) {}

  /** Makes a device known; the oldest goes when the account has too many. */
  public Device mint(Transaction tx, long userId) {
    String id = secrets.id();
    Instant now = clock.instant();
    tx.send(store.insert(id, userId, now, now.plus(LIFE)));
    tx.send(store.deleteAllButNewest(userId, MOST_PER_ACCOUNT));
    return new Device(id, token(id, userId));
  }

  /** The id of the device if it is still known, else of a new one. */
  public String keepOrMint(Transaction tx, long userId, Optional<String> deviceId) {
    return deviceId
        .filter(id -> tx.run(store.owner(id, clock.instant())).isPresent())
        .orElseGet(() -> mint(tx, userId).id());
  }

  /** Whether the account has signed in, or registered, on another device than that one. */
  public boolean hasOther(Transaction tx, long userId, String deviceId) {
    return tx.run(store.other(userId, deviceId, clock.instant())).isPresent();
  }

  /** The token of a device, always the same. */
  public Secret token(String deviceId, long userId) {
    String user = Long.toString(userId);
    return Secret.of(deviceId + "." + user + "." + signatures.over(deviceId, user));
  }

  /** The known device that sent a request; junk costs no look into the database. */
  public Optional<KnownDevice> recognise(Client client) {
    return client
        .deviceToken()
        .flatMap(this::read)
        .filter(device ->
            database
                .read(store.owner(device.deviceId(), clock.instant()))
                .filter(owner -> owner == device.userId())
                .isPresent());
  }

  /** The id of the known device of that account that sent a request. */
  public Optional<String> recognise(Client client, long userId) {
    return recognise(client).filter(device -> device.userId() == userId).map(KnownDevice::deviceId);
  }

  /** Forgets the account's devices but one. */
  public void endAll(Transaction tx, long userId, Optional<String> except) {
    tx.send(store.deleteAll(userId, except));
  }

  /** What clean-up may delete. */
  public List<Sweep> sweeps() {
    return List.of(new Sweep("devices", store::sweep));
  }

  private Optional<KnownDevice> read(Secret token) {
    Matcher matcher = TOKEN.matcher(token.reveal());
    if (!matcher.matches()) {
      return Optional.empty();
    }
    var device = new KnownDevice(matcher.group(1), Long.parseLong(matcher.group(2)));
    return signatures.match(matcher.group(3), matcher.group(1), matcher.group(2))
        ? Optional.of(device)
        : Optional.empty();
  }
}
