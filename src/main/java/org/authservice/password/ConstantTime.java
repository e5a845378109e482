package org.authservice.password;

import java.time.Duration;
import java.util.Arrays;
import java.util.function.Function;
import org.authservice.password.PasswordHasher.Verdict;

/**
 * While hashes of two schemes are stored, the time of a failed check would tell which scheme an
 * account has, and so whether there is one. Then every failure lasts as long as the slower scheme
 * usually takes. The waiting is done by the caller's virtual thread, not by a hashing one.
 */
final class ConstantTime {
  private static final int SAMPLES = 64;

  private final long[] failures = new long[SAMPLES];
  private int count;

  /** When the hash of one check began. */
  static final class Start {
    private volatile long nanos;

    void begin() {
      nanos = System.nanoTime();
    }
  }

  Verdict pad(boolean needed, Function<Start, Verdict> check) {
    var start = new Start();
    Verdict verdict = check.apply(start);
    if (verdict instanceof Verdict.Wrong) {
      long took = System.nanoTime() - start.nanos;
      remember(took);
      if (needed) {
        await(start.nanos + usual());
      }
    }
    return verdict;
  }

  private synchronized void remember(long nanos) {
    failures[count % SAMPLES] = nanos;
    count++;
  }

  /** The 95th percentile of recent failures: with both schemes among them, the slower one's. */
  private synchronized long usual() {
    long[] sorted = Arrays.copyOf(failures, Math.min(count, SAMPLES));
    Arrays.sort(sorted);
    return sorted[(sorted.length - 1) * 95 / 100];
  }

  private static void await(long until) {
    try {
      long left = until - System.nanoTime();
      if (left > 0) {
        Thread.sleep(Duration.ofNanos(left));
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
