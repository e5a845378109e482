package org.authservice.password;

import static org.assertj.core.api.Assertions.assertThat;

import de.mkammerer.argon2.Argon2Factory;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.authservice.password.PasswordHasher.Scheme;
import org.authservice.password.PasswordHasher.Verdict;
import org.authservice.secret.Secret;
import org.authservice.secret.Secrets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Hashes as the reference implementation of Argon2 makes and takes them. */
class PasswordHasherTest {
  // From the reference implementation's own tests (phc-winner-argon2, src/test.c).
  private static final String OF_PASSWORD =
      "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

  private final PasswordHasher hasher =
      new PasswordHasher(Scheme.ARGON2ID, () -> false, Secrets.secure(), new SimpleMeterRegistry());

  @AfterEach
  void stop() {
    hasher.close();
  }

  @Test
  void theReferenceImplementationsHashIsRecognised() {
    assertThat(verify("password", OF_PASSWORD)).isEqualTo(new Verdict.Right(false));
    assertThat(verify("Password", OF_PASSWORD)).isEqualTo(new Verdict.Wrong());
    assertThat(verify("", OF_PASSWORD)).isEqualTo(new Verdict.Wrong());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "Correct-Horse7!", "пароль-Ünïcode-鍵"})
  void theReferenceImplementationRecognisesNewHashes(String password) {
    String hash = hasher.hash(Secret.of(password));
    byte[] same = password.getBytes(StandardCharsets.UTF_8);
    byte[] other = (password + "x").getBytes(StandardCharsets.UTF_8);

    var reference = Argon2Factory.create(Argon2Factory.Argon2Types.ARGON2id);
    assertThat(reference.verify(hash, same)).isTrue();
    assertThat(reference.verify(hash, other)).isFalse();
    assertThat(hash).startsWith("$argon2id$v=19$m=19456,t=2,p=1$");
  }

  /** What one computation leaves in memory that the next one takes must not be seen in it. */
  @Test
  void hashesOfDifferentSizeThatFollowAndMeetEachOtherAreAllRight() throws Exception {
    String ofFourLanes =
        Argon2Factory.create(Argon2Factory.Argon2Types.ARGON2id)
            .hash(1, 64, 4, "lanes".getBytes(StandardCharsets.UTF_8));
    assertThat(ofFourLanes).startsWith("$argon2id$v=19$m=64,t=1,p=4$");

    List<Callable<Verdict>> checks = new ArrayList<>();
    for (int i = 0; i < 24; i++) {
      String password = "password " + i;
      String hash = hasher.hash(Secret.of(password));
      checks.add(() -> verify(password, hash));
      checks.add(() -> verify("lanes", ofFourLanes));
      checks.add(() -> verify("password", OF_PASSWORD));
    }
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (var verdict : threads.invokeAll(checks)) {
        assertThat(verdict.get()).isInstanceOf(Verdict.Right.class);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "$argon2id$v=19$m=65536,t=0,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=65536,t=2,p=0$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=31,t=2,p=4$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=9999999,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQab$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=16$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
      })
  void parametersThatArgon2DoesNotHaveAreNobodysPassword(String hash) {
    assertThat(verify("password", hash)).isEqualTo(new Verdict.Wrong());
  }

  private Verdict verify(String password, String hash) {
    return hasher.verify(Secret.of(password), Optional.of(hash));
  }
}
