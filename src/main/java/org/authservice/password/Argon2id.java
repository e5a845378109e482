package org.authservice.password;

import de.mkammerer.argon2.Argon2;
import de.mkammerer.argon2.Argon2Factory;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Argon2id (RFC 9106) with the parameters that OWASP gives as its minimum: 19 MiB, two passes. */
final class Argon2id {
  private static final int MEMORY_KIB = 19456;
  private static final int PASSES = 2;
  private static final int LANES = 1;

  private static final Pattern PHC =
      Pattern.compile(
          "\\$argon2id\\$v=19\\$m=(\\d{1,7}),t=(\\d{1,3}),p=(\\d{1,2})\\$[A-Za-z0-9+/]{11,86}"
              + "\\$[A-Za-z0-9+/]{16,128}");

  // What an import may have brought; more would let one login occupy the machine.
  private static final int MAX_MEMORY_KIB = 262_144;
  private static final int MAX_PASSES = 16;
  private static final int MAX_LANES = 16;

  private @Nullable Argon2 engine;

  boolean handles(String hash) {
    Matcher matcher = PHC.matcher(hash);
    return matcher.matches()
        && number(matcher, 1) <= MAX_MEMORY_KIB
        && number(matcher, 2) <= MAX_PASSES
        && number(matcher, 3) <= MAX_LANES;
  }

  boolean isCurrent(String hash) {
    Matcher matcher = PHC.matcher(hash);
    return matcher.matches() && number(matcher, 1) >= MEMORY_KIB && number(matcher, 2) >= PASSES;
  }

  String hash(String password) {
    return engine().hash(PASSES, MEMORY_KIB, LANES, password.getBytes(StandardCharsets.UTF_8));
  }

  boolean matches(String password, String hash) {
    return engine().verify(hash, password.getBytes(StandardCharsets.UTF_8));
  }

  private static int number(Matcher matcher, int group) {
    return Integer.parseInt(matcher.group(group));
  }

  /** Native code is loaded when it is first needed, not at the start. */
  private synchronized Argon2 engine() {
    if (engine == null) {
      engine = Argon2Factory.create(Argon2Factory.Argon2Types.ARGON2id);
    }
    return engine;
  }
}
