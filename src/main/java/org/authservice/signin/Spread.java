package org.authservice.signin;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.time.Clock;
import java.time.Duration;
import java.util.BitSet;

/**
 * How many different ones were seen with a subject within an hour, without remembering which: each
 * sets one of 1024 bits, and the number of bits that are not set tells how many there were ("linear
 * counting", within three in a hundred up to a thousand). In this node's memory, for at most 20,000
 * subjects; subjects seen more often stay when there are more.
 */
final class Spread {
  private static final int BITS = 1024;
  private static final int MOST_SUBJECTS = 20_000;
  private static final Duration WINDOW = Duration.ofHours(1);

  private final int threshold;
  private final Cache<String, Seen> subjects;

  /**
   * Nothing seen yet.
   *
   * @param threshold from how many on it is told; 0 for never
   */
  Spread(int threshold, Clock clock) {
    this.threshold = threshold;
    this.subjects =
        Caffeine.newBuilder()
            .maximumSize(MOST_SUBJECTS)
            .expireAfterWrite(WINDOW)
            .ticker(() -> Math.multiplyExact(clock.millis(), 1_000_000L))
            .build();
  }

  /**
   * Notes that this one was seen with that subject; true once, when it makes them too many.
   *
   * @param one hexadecimal digits that nobody outside can choose, such as an HMAC
   */
  boolean reaches(String subject, String one) {
    return threshold > 0 && subjects.get(subject, _ -> new Seen()).add(one, threshold);
  }

  private static final class Seen {
    private final BitSet bits = new BitSet(BITS);
    private boolean told;

    synchronized boolean add(String one, int threshold) {
      bits.set(Integer.parseInt(one, 0, 4, 16) % BITS);
      double free = Math.max(1, BITS - bits.cardinality());
      double estimate = BITS * Math.log(BITS / free);
      if (told || Math.round(estimate) < threshold) {
        return false;
      }
      told = true;
      return true;
    }
  }
}
