package org.authservice.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.Random;
import org.authservice.testing.Databases;
import org.authservice.testing.Reply;
import org.authservice.testing.TestClock;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.RepeatedTest;

/** Random walks of an owner's tabs, their late, lost and reordered answers, and a thief. */
class RotationWalkTest {
  private static final long GRACE = 30_000;
  private static final Instant START = Instant.parse("2026-06-01T12:00:00Z");

  /** Something that happens at a time, in milliseconds since the start. */
  private record Event(long at, Runnable action) {}

  private final PriorityQueue<Event> events =
      new PriorityQueue<>(Comparator.comparingLong(Event::at));
  private final long seed = System.nanoTime();
  private final Random random = new Random(seed);
  private long now;
  private long lastAnswer;
  private String stored = "";
  private int inFlight;

  /**
   * Requests and answers each take less than half a grace; any may be lost, though not all for ten
   * graces on end; up to three are in flight; the last answer to arrive is the one that is kept.
   */
  @RepeatedTest(20)
  void insideTheDelaysAnHonestClientIsNeverThrownOut() {
    var clock = new TestClock(START);
    try (var service =
        TestService.with(Databases.SQLITE)
            .set("SESSION_MAX_DAYS", "3650")
            .set("REFRESH_TOKEN_EXPIRE_DAYS", "365")
            .clock(clock)
            .start()) {
      stored = service.verified("ada@example.com").text("refresh_token");
      schedule(0, () -> tab(service, 150));
      while (!events.isEmpty()) {
        Event event = events.remove();
        clock.advance(Duration.ofMillis(event.at() - now));
        now = event.at();
        event.action().run();
      }
    }
  }

  /** Refreshes now and then: in bursts, steadily, or after long pauses. */
  private void tab(TestService service, int left) {
    if (left == 0) {
      return;
    }
    if (inFlight < 3) {
      send(service);
    }
    boolean waiting = now - lastAnswer > GRACE;
    long pause =
        waiting || random.nextInt(3) > 0 ? random.nextLong(GRACE) : random.nextLong(40 * GRACE);
    schedule(pause, () -> tab(service, left - 1));
  }

  private void send(TestService service) {
    String token = stored;
    boolean overdue = now - lastAnswer > 5 * GRACE;
    boolean requestLost = !overdue && random.nextInt(4) == 0;
    boolean answerLost = !overdue && random.nextInt(4) == 0;
    inFlight++;
    schedule(
        random.nextLong(GRACE / 2),
        () -> {
          if (requestLost) {
            inFlight--;
            return;
          }
          Reply reply = service.refresh(token);
          assertThat(reply.status()).as("seed %d at %d: %s", seed, now, reply).isEqualTo(200);
          schedule(
              random.nextLong(GRACE / 2),
              () -> {
                inFlight--;
                if (!answerLost) {
                  stored = reply.text("refresh_token");
                  lastAnswer = now;
                }
              });
        });
  }

  /** The two take turns, further apart than the graces; who is first is chance. */
  @RepeatedTest(20)
  void aThiefWhoGoesOnIsFoundAtTheSecondChangeBetweenTheParties() {
    var clock = new TestClock(START);
    try (var service = TestService.with(Databases.SQLITE).clock(clock).start()) {
      String owner = service.verified("ada@example.com").text("refresh_token");
      int before = random.nextInt(4);
      for (int i = 0; i < before; i++) {
        owner = service.refresh(owner).expect(200).text("refresh_token");
        clock.advance(Duration.ofMillis(11 * GRACE + random.nextLong(GRACE)));
      }
      String thief = owner;
      boolean thiefsTurn = random.nextBoolean();
      int changes = 0;
      boolean found = false;
      while (!found && changes < 3) {
        int turns = 1 + random.nextInt(3);
        for (int i = 0; i < turns && !found; i++) {
          Reply reply = service.refresh(thiefsTurn ? thief : owner);
          found = reply.status() == 401;
          if (!found && thiefsTurn) {
            thief = reply.text("refresh_token");
          } else if (!found) {
            owner = reply.text("refresh_token");
          }
          clock.advance(Duration.ofMillis(11 * GRACE + random.nextLong(GRACE)));
        }
        thiefsTurn = !thiefsTurn;
        changes++;
      }

      // The first turn is no change between the parties; the second change is the third turn.
      assertThat(found).as("seed %d", seed).isTrue();
      assertThat(changes).as("seed %d", seed).isLessThanOrEqualTo(3);
      service.refresh(thief).expect(401, "refresh_token_invalid");
      service.refresh(owner).expect(401, "refresh_token_invalid");
    }
  }

  private void schedule(long delay, Runnable action) {
    events.add(new Event(now + delay, action));
  }
}
