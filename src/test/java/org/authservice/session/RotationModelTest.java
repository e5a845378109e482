package org.authservice.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.authservice.session.Numbers.Decision;
import org.authservice.session.Numbers.Kind;
import org.junit.jupiter.api.Test;

/**
 * The rule alone, against every client there can be: tabs that share one store (the last answer to
 * arrive stays), up to three requests in flight, each request and answer delayed less than half a
 * grace or lost. Time goes in quarters of a grace. The simpler rules in use elsewhere stand beside
 * ours, to show that the model finds their faults.
 */
class RotationModelTest {
  private static final int GRACE = 4;
  private static final int LONGEST_DELAY = 1; // the longest that is less than half a grace
  private static final int LONG_AGO = 10 * GRACE;
  private static final int IN_FLIGHT = 3;
  private static final Instant NOW = Instant.parse("2026-06-01T12:00:00Z");

  /** What presenting a number to a session does. */
  private interface Rule {
    Decision present(Numbers numbers, int number);
  }

  private static final Rule OURS = (numbers, number) -> numbers.present(number, NOW, ticks(GRACE));

  /** The predecessor is good inside the grace only. */
  private static final Rule PREDECESSOR_IN_GRACE =
      (numbers, number) ->
          number == numbers.previous()
              ? sinceChange(numbers) < GRACE ? new Decision.Repeat() : new Decision.Reuse()
              : OURS.present(numbers, number);

  /** Whoever presents the predecessor displaces its successor at once. */
  private static final Rule DISPLACE_AT_ONCE =
      (numbers, number) ->
          number == numbers.previous()
              ? new Decision.Change(
                  new Numbers(numbers.current() + 1, number, number, NOW, Instant.EPOCH),
                  Kind.DISPLACED)
              : OURS.present(numbers, number);

  /** The predecessor is always good. */
  private static final Rule PARENT_ALWAYS_GOOD =
      (numbers, number) ->
          number == numbers.previous() ? new Decision.Repeat() : OURS.present(numbers, number);

  @Test
  void noHonestClientIsEverThrownOut() {
    var walk = new HonestClient(OURS);

    assertThat(walk.whoIsThrownOut()).isEmpty();
    assertThat(walk.seen).hasSizeGreaterThan(10_000);
    assertThat(walk.kinds).contains(Kind.ROTATED, Kind.PREVIOUS_SEEN, Kind.DISPLACED);
    assertThat(walk.repeats).isTrue();
  }

  @Test
  void theModelFindsWhomTheSimplerRulesThrowOut() {
    assertThat(new HonestClient(PREDECESSOR_IN_GRACE).whoIsThrownOut()).isPresent();
    assertThat(new HonestClient(DISPLACE_AT_ONCE).whoIsThrownOut()).isPresent();
  }

  @Test
  void whoeverUsesAStolenTokenIsFoundAtTheSecondChangeBetweenTheParties() {
    for (int before = 0; before < 4; before++) {
      Numbers numbers = Numbers.first();
      for (int i = 0; i < before; i++) {
        numbers = changed(later(numbers, LONG_AGO), numbers.current());
      }
      assertThat(unnoticed(OURS, numbers, numbers.current(), numbers.current(), 7)).isFalse();
    }
  }

  @Test
  void theModelFindsThatAParentThatIsAlwaysGoodHidesAThief() {
    assertThat(unnoticed(PARENT_ALWAYS_GOOD, Numbers.first(), 1, 1, 7)).isTrue();
  }

  /** Whether two parties can go on past the second change; both act, graces apart. */
  private static boolean unnoticed(Rule rule, Numbers numbers, int owner, int thief, int turns) {
    return unnoticed(rule, numbers, new int[] {owner, thief}, 0, 0, turns)
        || unnoticed(rule, numbers, new int[] {owner, thief}, 1, 0, turns);
  }

  private static boolean unnoticed(
      Rule rule, Numbers numbers, int[] tokens, int party, int changes, int turns) {
    if (turns == 0) {
      return false;
    }
    for (int gap : new int[] {2 * GRACE, 5 * GRACE, LONG_AGO}) {
      Numbers aged = later(numbers, gap);
      Decision decision = rule.present(aged, tokens[party]);
      if (decision instanceof Decision.Reuse) {
        continue;
      }
      if (changes == 2) {
        return true;
      }
      Numbers next = decision instanceof Decision.Change(var changed, _) ? changed : aged;
      int[] held = tokens.clone();
      held[party] = next.current();
      if (unnoticed(rule, next, held, party, changes, turns - 1)
          || unnoticed(rule, next, held, 1 - party, changes + 1, turns - 1)) {
        return true;
      }
    }
    return false;
  }

  private static Numbers changed(Numbers numbers, int number) {
    return ((Decision.Change) OURS.present(numbers, number)).next();
  }

  private static Numbers later(Numbers numbers, int ticks) {
    return new Numbers(
        numbers.current(),
        numbers.previous(),
        numbers.oldest(),
        numbers.changedAt().minus(ticks(ticks)),
        numbers.previousSeenAt().minus(ticks(ticks)));
  }

  private static Duration ticks(int count) {
    return Duration.ofSeconds(count);
  }

  private static int sinceChange(Numbers numbers) {
    return age(numbers.changedAt());
  }

  private static int age(Instant then) {
    return (int) Math.min(LONG_AGO, Duration.between(then, NOW).toSeconds());
  }

  /**
   * Walks every state that a client and a session can reach. A state is a text of small numbers:
   * current, previous, oldest, stored, ticks since the change, ticks since the previous was seen,
   * and for each message in flight what it is, its number and its age. Only the order of the
   * numbers matters, so they are renumbered from 0.
   */
  private static final class HonestClient {
    private static final int HEAD = 6;
    private static final int REQUEST = 0;
    private static final int ANSWER = 1;

    private final Rule rule;
    private final Set<String> seen = new HashSet<>();
    private final Deque<String> open = new ArrayDeque<>();
    private final Set<Kind> kinds = EnumSet.noneOf(Kind.class);
    private boolean repeats;

    HonestClient(Rule rule) {
      this.rule = rule;
    }

    /** The first state in which presenting an honest token ends the session. */
    Optional<String> whoIsThrownOut() {
      reach(new int[] {1, 0, 0, 1, LONG_AGO, LONG_AGO});
      while (!open.isEmpty()) {
        int[] state = open.remove().chars().toArray();
        boolean due = false;
        for (int i = HEAD; i < state.length; i += 3) {
          due |= state[i + 2] == LONGEST_DELAY;
          reach(without(state, i)); // lost
          if (state[i] == ANSWER) {
            int[] next = without(state, i);
            next[3] = state[i + 1];
            reach(next);
          } else if (!arrive(state, i)) {
            return Optional.of(Arrays.toString(state));
          }
        }
        if (!due) {
          reach(tick(state));
        }
        if (state.length < HEAD + 3 * IN_FLIGHT) {
          reach(with(state, REQUEST, state[3]));
        }
      }
      return Optional.empty();
    }

    /** False when the session ends. */
    private boolean arrive(int[] state, int message) {
      var numbers =
          new Numbers(
              state[0], state[1], state[2], NOW.minus(ticks(state[4])), NOW.minus(ticks(state[5])));
      int[] next = without(state, message);
      switch (rule.present(numbers, state[message + 1])) {
        case Decision.Reuse _ -> {
          return false;
        }
        case Decision.Repeat _ -> repeats = true;
        case Decision.Change(var after, var kind) -> {
          if (kind == Kind.DISPLACED && state[4] >= LONG_AGO && state[5] < GRACE) {
            return true; // every answer was lost for ten graces of retrying: nothing is promised
          }
          kinds.add(kind);
          next[0] = after.current();
          next[1] = after.previous();
          next[2] = after.oldest();
          next[4] = age(after.changedAt());
          next[5] = age(after.previousSeenAt());
        }
      }
      reach(with(next, ANSWER, next[0]));
      return true;
    }

    private void reach(int[] state) {
      String key = canonical(state);
      if (seen.add(key)) {
        open.add(key);
      }
    }

    private static int[] tick(int[] state) {
      int[] next = state.clone();
      next[4] = Math.min(LONG_AGO, state[4] + 1);
      next[5] = Math.min(LONG_AGO, state[5] + 1);
      for (int i = HEAD; i < next.length; i += 3) {
        next[i + 2]++;
      }
      return next;
    }

    private static int[] without(int[] state, int message) {
      int[] next = Arrays.copyOf(state, state.length - 3);
      System.arraycopy(state, message + 3, next, message, state.length - message - 3);
      return next;
    }

    private static int[] with(int[] state, int kind, int number) {
      int[] next = Arrays.copyOf(state, state.length + 3);
      next[state.length] = kind;
      next[state.length + 1] = number;
      return next;
    }

    private static String canonical(int[] state) {
      var order = new TreeSet<Integer>();
      for (int i = 0; i < 4; i++) {
        order.add(state[i]);
      }
      for (int i = HEAD; i < state.length; i += 3) {
        order.add(state[i + 1]);
      }
      var text = new StringBuilder();
      for (int i = 0; i < HEAD; i++) {
        text.append((char) (i < 4 ? order.headSet(state[i]).size() : state[i]));
      }
      text.setCharAt(5, (char) Math.min(GRACE, state[5])); // longer ago makes no difference
      String[] messages = new String[(state.length - HEAD) / 3];
      for (int i = 0; i < messages.length; i++) {
        int at = HEAD + 3 * i;
        messages[i] =
            ""
                + (char) state[at]
                + (char) order.headSet(state[at + 1]).size()
                + (char) state[at + 2];
      }
      Arrays.sort(messages);
      return text + String.join("", messages);
    }
  }
}
