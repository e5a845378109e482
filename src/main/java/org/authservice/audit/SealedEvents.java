package org.authservice.audit;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.authservice.database.Database;

/** What a seal covers of the events, read page by page. */
final class SealedEvents {
  private static final int PAGE = 2_000;

  /** The operator may do these while a secret key is missing; nothing of them is personal. */
  private static final Set<String> WITH_ANY_KEY =
      Set.of(
          SecurityEvent.Type.CLOCK_ACCEPTED.code(),
          SecurityEvent.Type.SIGNING_KEY_REVOKED.code(),
          SecurityEvent.Type.SECRET_KEY_DISTRUSTED.code());

  private final Database database;
  private final SealStore store;
  private final Personal personal;

  SealedEvents(Database database, SealStore store, Personal personal) {
    this.database = database;
    this.store = store;
    this.personal = personal;
  }

  /** The events from one moment on and before another. */
  Seal.Contents between(Instant from, Instant until) {
    MessageDigest digest = Seal.sha256();
    long count = 0;
    var position = new SecurityEvents.Position(from, "");
    List<SealStore.Sealed> page;
    do {
      page = database.read(store.events(position, until, PAGE));
      for (SealStore.Sealed event : page) {
        add(digest, event);
        position = new SecurityEvents.Position(event.at(), event.id());
      }
      count += page.size();
    } while (page.size() == PAGE);
    return new Seal.Contents(count, HexFormat.of().formatHex(digest.digest()));
  }

  private void add(MessageDigest digest, SealStore.Sealed event) {
    add(digest, event.id());
    add(digest, Long.toString(event.at().toEpochMilli()));
    add(digest, event.type());
    add(digest, event.outcome());
    add(digest, event.userId().map(String::valueOf).orElse("-"));
    add(digest, event.sessionId().orElse("-"));
    add(digest, event.personal());
    if (!vouchedFor(event)) {
      add(digest, "changed");
    }
  }

  /** What is personal is as it was recorded, or gone with its account. */
  private boolean vouchedFor(SealStore.Sealed event) {
    return event.personal().isEmpty() // recorded by an older version
        || WITH_ANY_KEY.contains(event.type())
        || event.personal().equals(personal.of(event))
        || (event.erased() && event.userId().map(this::wasErased).orElse(false));
  }

  private boolean wasErased(long userId) {
    return database.read(store.erasure(userId)).isPresent();
  }

  // Length first, so that nothing can be moved from one field into the next.
  private static void add(MessageDigest digest, String part) {
    byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
    digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).flip());
    digest.update(bytes);
  }
}
