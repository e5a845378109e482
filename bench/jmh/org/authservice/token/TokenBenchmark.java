package org.authservice.token;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.authservice.http.Principal;
import org.authservice.secret.Keyring;
import org.authservice.secret.Secret;
import org.authservice.secret.Secrets;
import org.authservice.settings.TokenSettings;
import org.authservice.settings.TokenSettings.Algorithm;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** Signing and verifying the two tokens of a refresh, under a shared key. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class TokenBenchmark {
  private static final String SESSION = "0123456789abcdef0123456789abcdef";

  private AccessTokens accessTokens;
  private RefreshTokens refreshTokens;
  private RefreshTokens.Claims claims;
  private Instant end;
  private String access;
  private String refresh;

  @Setup
  public void issue() {
    Secrets secrets = Secrets.secure();
    Secret key = Secret.of("a-key-for-measuring-0123456789abcdefgh");
    var keyring = new Keyring(key, List.of(), new byte[32], secrets);
    var settings =
        new TokenSettings(
            key,
            List.of(),
            Algorithm.HS256,
            Optional.empty(),
            Optional.empty(),
            Duration.ofMinutes(30),
            new TokenSettings.Legacy.Refused(),
            Duration.ofMinutes(30),
            Duration.ofDays(7));
    accessTokens =
        new AccessTokens(
            settings,
            "https://auth.example.com",
            new SharedKeys(keyring, Algorithm.HS256),
            Clock.systemUTC(),
            secrets);
    refreshTokens = new RefreshTokens(keyring);
    Instant now = Instant.now();
    end = now.plus(Duration.ofDays(7));
    claims = new RefreshTokens.Claims(7, SESSION, 3, now, end);
    access = signAccess();
    refresh = signRefresh();
  }

  @Benchmark
  public String signAccess() {
    return accessTokens.issue(7, SESSION, end).token().reveal();
  }

  @Benchmark
  public Optional<Principal> verifyAccess() {
    return Jwt.parse(access).flatMap(accessTokens::verify);
  }

  @Benchmark
  public String signRefresh() {
    return refreshTokens.issue(claims);
  }

  @Benchmark
  public Optional<RefreshTokens.Claims> verifyRefresh() {
    return refreshTokens.read(refresh);
  }
}
