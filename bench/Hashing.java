import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.authservice.password.PasswordHasher;
import org.authservice.secret.Secret;
import org.authservice.secret.Secrets;

/** What the cores can hash with the service's own hasher, without a service around it. */
final class Hashing {
  static final String PASSWORD = "Correct-Horse-7-Battery";

  private Hashing() {}

  static String stored() {
    try (var hasher = hasher()) {
      return hasher.hash(Secret.of(PASSWORD));
    }
  }

  /** Comparisons per second on all cores. */
  static double perSecond(double seconds) throws InterruptedException {
    try (var hasher = hasher()) {
      String stored = hasher.hash(Secret.of(PASSWORD));
      var count = new AtomicLong();
      long start = System.nanoTime();
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < Runtime.getRuntime().availableProcessors(); i++) {
        threads.add(
            Thread.ofPlatform()
                .start(() -> {
                  while (System.nanoTime() - start < seconds * 1e9) {
                    hasher.verify(Secret.of(PASSWORD), Optional.of(stored));
                    count.incrementAndGet();
                  }
                }));
      }
      for (Thread thread : threads) {
        thread.join();
      }
      return count.get() / ((System.nanoTime() - start) / 1e9);
    }
  }

  private static PasswordHasher hasher() {
    return new PasswordHasher(
        PasswordHasher.Scheme.ARGON2ID, () -> false, Secrets.secure(), new SimpleMeterRegistry());
  }
}
