package org.authservice.ratelimit;

import io.github.bucket4j.Bucket;
import io.github.bucket4j.BucketConfiguration;
import io.github.bucket4j.ConsumptionProbe;
import io.github.bucket4j.distributed.ExpirationAfterWriteStrategy;
import io.github.bucket4j.distributed.proxy.ProxyManager;
import io.github.bucket4j.redis.lettuce.Bucket4jLettuce;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.authservice.database.Breaker;
import org.authservice.secret.Secret;
import org.authservice.settings.LimitSettings.Rate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Buckets that the nodes share on Redis. Each request takes a token here as well: what this node
 * alone would refuse needs no asking, and when Redis is away, slow or full, this node goes on with
 * what it has counted itself. No class but this one loads the Redis client.
 */
final class SharedBuckets implements RequestRates.Source {
  private static final Logger log = LoggerFactory.getLogger(SharedBuckets.class);
  private static final Duration PATIENCE = Duration.ofMillis(200);
  private static final Duration KEPT_WHEN_FULL = Duration.ofSeconds(10);

  private final Buckets local;
  private final Names names;
  private final MeterRegistry meters;
  private final Breaker breaker = new Breaker(System::nanoTime);
  private final RedisClient client;
  private final RedisURI uri;
  private final AtomicReference<Optional<CompletableFuture<ProxyManager<byte[]>>>> connection =
      new AtomicReference<>(Optional.empty());

  /** What a bucket is called on Redis: no address and no account can be read from it. */
  @FunctionalInterface
  interface Names {
    /** The name of the bucket of these parts. */
    String of(String... parts);
  }

  SharedBuckets(Secret url, Buckets local, Names names, MeterRegistry meters) {
    this.local = local;
    this.names = names;
    this.meters = meters;
    this.uri = RedisURI.create(url.reveal());
    uri.setTimeout(PATIENCE);
    this.client = RedisClient.create();
    client.setOptions(
        ClientOptions.builder()
            .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
            .socketOptions(SocketOptions.builder().connectTimeout(Duration.ofSeconds(1)).build())
            .timeoutOptions(TimeoutOptions.enabled(PATIENCE))
            .build());
    meters.gauge("auth.limits.redis.up", breaker, it -> it.closed() ? 1 : 0);
    connect();
  }

  @Override
  public ConsumptionProbe take(Buckets.Key key) {
    ConsumptionProbe here = local.take(key);
    return everywhere(key, here, bucket -> bucket.tryConsumeAndReturnRemaining(1));
  }

  @Override
  public ConsumptionProbe look(Buckets.Key key) {
    return everywhere(key, local.look(key), bucket -> Buckets.look(bucket, key));
  }

  @Override
  public void close() {
    client.shutdown(Duration.ZERO, Duration.ofSeconds(1));
  }

  private ConsumptionProbe everywhere(
      Buckets.Key key, ConsumptionProbe here, Function<Bucket, ConsumptionProbe> question) {
    return here.isConsumed() && breaker.admits() ? ask(key, question).orElse(here) : here;
  }

  private Optional<ConsumptionProbe> ask(
      Buckets.Key key, Function<Bucket, ConsumptionProbe> question) {
    try {
      CompletableFuture<ProxyManager<byte[]>> connected = connect();
      if (!connected.isDone()) {
        return failed("not connected");
      }
      ConsumptionProbe probe =
          question.apply(connected.join().builder().build(name(key), () -> full(key.rate())));
      boolean back = !breaker.closed();
      breaker.succeeded();
      if (back) {
        log.info("limits are shared on Redis again");
      }
      return Optional.of(probe);
    } catch (RuntimeException unavailable) {
      return failed(unavailable.toString());
    }
  }

  private Optional<ConsumptionProbe> failed(String why) {
    meters.counter("auth.limits.redis.failures").increment();
    if (breaker.failed()) {
      log.warn("Redis fails ({}): each node limits by what it counts itself", why);
    }
    return Optional.empty();
  }

  /** The connection, or a new attempt at one when the last has failed; never waits. */
  private CompletableFuture<ProxyManager<byte[]>> connect() {
    Optional<CompletableFuture<ProxyManager<byte[]>>> last = connection.get();
    if (last.isPresent() && !last.get().isCompletedExceptionally()) {
      return last.get();
    }
    var next = new CompletableFuture<ProxyManager<byte[]>>();
    if (!connection.compareAndSet(last, Optional.of(next))) {
      return connect();
    }
    client
        .connectAsync(ByteArrayCodec.INSTANCE, uri)
        .whenComplete((connected, failure) -> {
          if (failure != null) {
            next.completeExceptionally(failure);
            return;
          }
          try {
            ready(proxies(connected), next);
          } catch (RuntimeException | Error unfit) { // else nobody would try again
            connected.closeAsync();
            next.completeExceptionally(unfit);
          }
        });
    return next;
  }

  /**
   * Asks once, whatever comes of it, before requests do: the first question of a process loads
   * much, and could take longer than a request waits.
   */
  private void ready(
      ProxyManager<byte[]> proxies, CompletableFuture<ProxyManager<byte[]>> connected) {
    var once = new Rate(1, Duration.ofSeconds(1));
    proxies
        .asAsync()
        .builder()
        .build(
            name(new Buckets.Key("", "", once)),
            () -> CompletableFuture.completedFuture(full(once)))
        .tryConsumeAndReturnRemaining(1)
        .whenComplete((probe, failure) -> connected.complete(proxies));
  }

  private ProxyManager<byte[]> proxies(StatefulRedisConnection<byte[], byte[]> connected) {
    return Bucket4jLettuce.casBasedBuilder(connected)
        .clientClock(local.time())
        .requestTimeout(PATIENCE)
        .expirationAfterWrite(
            ExpirationAfterWriteStrategy.basedOnTimeForRefillingBucketUpToMax(KEPT_WHEN_FULL))
        .build();
  }

  private byte[] name(Buckets.Key key) {
    String name = names.of(key.who(), key.endpoint(), key.rate().toString());
    return ("auth:rate:" + name).getBytes(StandardCharsets.US_ASCII);
  }

  private static BucketConfiguration full(Rate rate) {
    return BucketConfiguration.builder()
        .addLimit(
            limit -> limit.capacity(rate.requests()).refillGreedy(rate.requests(), rate.period()))
        .build();
  }
}
