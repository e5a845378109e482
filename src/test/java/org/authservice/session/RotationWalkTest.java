package org.authservice.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.authservice.testing.Databases;
import org.authservice.testing.Reply;
import org.authservice.testing.TestClock;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.RepeatedTest;

/**
 * Random walks of an owner's tabs, their late, lost and reordered answers, and a thief. A failure
 * prints its seed; {@code mvn test -Dtest=RotationWalkTest -Dseed=N} walks that way again.
 */
class RotationWalkTest {
  private static final long GRACE = 30_000;
  private static final Instant START = Instant.parse("2026-06-01T12:00:00Z");

  /** Something that happens at a time, in milliseconds since the start. */
  private record Event(long at, Runnable action) {}

  private final PriorityQueue<Event> events =
      new PriorityQueue<>(Comparator.comparingLong(Event::at));
  private final long seed = Long.getLong("seed", System.nanoTime());
  private final Random random = new Random(seed);
  private long now;
  private long lastAnswer;
  private String stored = "";
  private int inFlight;

  private final TestClock clock = new TestClock(START);
  private final TestService service =
      TestService.with(Databases.SQLITE)
          .set("SESSION_MAX_DAYS", "3650")
          .set("REFRESH_TOKEN_EXPIRE_DAYS", "365")
          .clock(clock)
          .start();

  @AfterEach
  void stop() {
    service.close();
  }

  /**
   * Requests and answers each take less than half a grace; any may be lost, though not all for ten
   * graces on end; up to three are in flight; the last answer to arrive is the one that is kept.
   */
  @RepeatedTest(20)
  void insideTheDelaysAnHonestClientIsNeverThrownOut() {
    stored = service.verified("ada@example.com").text("refresh_token");
    walk(150);
  }

  /**
   * A thief copies what the tabs hold, at any moment of such a walk. Then the two take turns,
   * further apart than the graces, the owner with several tabs at once; who is first is chance.
   */
  @RepeatedTest(40)
  void aThiefWhoGoesOnIsFoundAtTheSecondChangeBetweenTheParties() {
    stored = service.verified("ada@example.com").text("refresh_token");
    walk(random.nextInt(30));
    String thief = stored;
    boolean thiefsTurn = random.nextBoolean();
    boolean found = false;
    // The first turn is no change between the parties; the second change begins the third turn.
    for (int turn = 1; turn <= 3 && !found; turn++) {
      int times = 1 + random.nextInt(3);
      for (int i = 0; i < times && !found; i++) {
        pause(12 * GRACE + random.nextLong(GRACE));
        if (thiefsTurn) {
          Reply reply = service.refresh(thief);
          found = reply.status() == 401;
          thief = found ? thief : reply.text("refresh_token");
        } else {
          found = burst();
        }
      }
      thiefsTurn = !thiefsTurn;
    }

    assertThat(found).as("seed %d", seed).isTrue();
    service.refresh(thief).expect(401, "refresh_token_invalid");
    service.refresh(stored).expect(401, "refresh_token_invalid");
  }

  private void walk(int requests) {
    schedule(0, () -> tab(requests));
    drain();
  }

  private void drain() {
    while (!events.isEmpty()) {
      Event event = events.remove();
      pause(event.at() - now);
      event.action().run();
    }
  }

  private void pause(long millis) {
    clock.advance(Duration.ofMillis(millis));
    now += millis;
  }

  /** Refreshes now and then: in bursts, steadily, or after long pauses. */
  private void tab(int left) {
    if (left == 0) {
      return;
    }
    if (inFlight < 3) {
      send();
    }
    boolean waiting = now - lastAnswer > GRACE;
    long pause =
        waiting || random.nextInt(3) > 0 ? random.nextLong(GRACE) : random.nextLong(40 * GRACE);
    schedule(pause, () -> tab(left - 1));
  }

  private void send() {
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
          answer(() -> {
            inFlight--;
            if (!answerLost) {
              stored = reply.text("refresh_token");
              lastAnswer = now;
            }
          });
        });
  }

  /** Up to three tabs refresh at about the same time; one answer at least arrives. */
  private boolean burst() {
    AtomicBoolean refused = new AtomicBoolean();
    int tabs = 1 + random.nextInt(3);
    for (int i = 0; i < tabs; i++) {
      String token = stored;
      boolean answerLost = i > 0 && random.nextBoolean();
      schedule(
          random.nextLong(GRACE / 2),
          () -> {
            Reply reply = service.refresh(token);
            if (reply.status() == 401) {
              refused.set(true);
            } else if (!answerLost) {
              answer(() -> stored = reply.text("refresh_token"));
            }
          });
    }
    drain();
    return refused.get();
  }

  private void answer(Runnable arrival) {
    schedule(random.nextLong(GRACE / 2), arrival);
  }

  private void schedule(long delay, Runnable action) {
    events.add(new Event(now + delay, action));
  }
}
