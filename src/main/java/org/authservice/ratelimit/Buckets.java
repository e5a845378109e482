package org.authservice.ratelimit;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Expiry;
import io.github.bucket4j.Bandwidth;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.ConsumptionProbe;
import io.github.bucket4j.EstimationProbe;
import io.github.bucket4j.TimeMeter;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.authservice.settings.LimitSettings.Rate;

/**
 * One bucket of tokens per client and limit, in this node's memory. They refill continuously, so
 * that no window's edge lets twice the limit pass at once. Whoever was refused is kept apart from
 * the crowd until the bucket is full again: a flood of other addresses cannot make the service
 * forget an offender.
 */
final class Buckets implements RequestRates.Source {
  private static final int MOST_PASSERS = 45_000;
  private static final int MOST_OFFENDERS = 50_000;

  private final Cache<Key, Bucket> passers =
      Caffeine.newBuilder().maximumSize(MOST_PASSERS).build();
  private final Cache<Key, Bucket> offenders;
  private final TimeMeter time;

  /** One for each rate of the settings, shared by all buckets of that rate. */
  private final Map<Rate, Bandwidth> bandwidths = new ConcurrentHashMap<>();

  /**
   * Whose bucket.
   *
   * @param who an address, an IPv6 network or an account
   * @param endpoint "" for the general limit
   */
  record Key(String who, String endpoint, Rate rate) {}

  Buckets(Clock clock, MeterRegistry meters) {
    this.time = new ClockTime(clock);
    this.offenders =
        Caffeine.newBuilder()
            .maximumSize(MOST_OFFENDERS)
            .expireAfter(Expiry.<Key, Bucket>accessing((key, bucket) -> key.rate().period()))
            .ticker(time::currentTimeNanos)
            .build();
    meters.gauge("auth.limits.clients", this, Buckets::size);
    meters.gauge("auth.limits.offenders", offenders, Cache::estimatedSize);
  }

  @Override
  public ConsumptionProbe take(Key key) {
    Bucket known = offenders.getIfPresent(key);
    Bucket bucket = known == null ? passers.get(key, this::full) : known;
    ConsumptionProbe probe = bucket.tryConsumeAndReturnRemaining(1);
    if (known == null && !probe.isConsumed()) {
      offenders.put(key, bucket); // the passers' entry is the same bucket, and may be evicted now
    }
    return probe;
  }

  @Override
  public ConsumptionProbe look(Key key) {
    Bucket offender = offenders.getIfPresent(key);
    Bucket known = offender == null ? passers.getIfPresent(key) : offender;
    return look(known == null ? full(key) : known, key);
  }

  /** Whether a token is left in that bucket. */
  static ConsumptionProbe look(Bucket bucket, Key key) {
    EstimationProbe estimate = bucket.estimateAbilityToConsume(1);
    long period = key.rate().period().toNanos();
    return estimate.canBeConsumed()
        ? ConsumptionProbe.consumed(estimate.getRemainingTokens(), period)
        : ConsumptionProbe.rejected(0, estimate.getNanosToWaitForRefill(), period);
  }

  /** The clock that buckets refill by. */
  TimeMeter time() {
    return time;
  }

  /** How many are remembered. */
  long size() {
    return passers.estimatedSize() + offenders.estimatedSize();
  }

  /** Evicts at once what would be evicted soon; for tests that count. */
  void settle() {
    passers.cleanUp();
    offenders.cleanUp();
  }

  private Bucket full(Key key) {
    return Bucket.builder()
        .addLimit(bandwidths.computeIfAbsent(key.rate(), Buckets::bandwidth))
        .withCustomTimePrecision(time)
        .build();
  }

  private static Bandwidth bandwidth(Rate rate) {
    return Bandwidth.builder()
        .capacity(rate.requests())
        .refillGreedy(rate.requests(), rate.period())
        .build();
  }
}
