package org.authservice.password;

import com.sun.jna.Memory;
import de.mkammerer.argon2.jna.Argon2Library;
import de.mkammerer.argon2.jna.Argon2_context;
import de.mkammerer.argon2.jna.Argon2_version;
import de.mkammerer.argon2.jna.JnaUint32;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.authservice.secret.Secrets;

/**
 * Argon2id (RFC 9106) with the parameters that OWASP gives as its minimum: 19 MiB, two passes. Each
 * computation takes a {@link HashingMemory} that an earlier one has left, if there is one.
 */
final class Argon2id {
  private static final Cost NEW = new Cost(19456, 2, 1);
  private static final int SALT_BYTES = 16;
  private static final int TAG_BYTES = 32;
  private static final int VERSION = 0x13;

  private static final Pattern PHC =
      Pattern.compile(
          "\\$argon2id\\$v=19\\$m=(\\d{1,7}),t=(\\d{1,3}),p=(\\d{1,2})\\$([A-Za-z0-9+/]{11,86})"
              + "\\$([A-Za-z0-9+/]{16,128})");
  private static final Base64.Encoder BASE64 = Base64.getEncoder().withoutPadding();

  // What an import may have brought; more would let one login occupy the machine.
  private static final Cost MOST = new Cost(262_144, 16, 16);

  private final Secrets secrets;
  private final Deque<HashingMemory> idle = new ConcurrentLinkedDeque<>();

  /** The parameters m, t and p of RFC 9106, section 3.1. */
  private record Cost(int memoryKib, int passes, int lanes) {
    boolean isAllowed() {
      return passes >= 1
          && lanes >= 1
          && memoryKib >= 8 * lanes
          && memoryKib <= MOST.memoryKib
          && passes <= MOST.passes
          && lanes <= MOST.lanes;
    }
  }

  /** What a stored text says. */
  private record Stored(Cost cost, byte[] salt, byte[] tag) {

    /** Empty when Argon2 has no such parameters, or they are absurd. */
    static Optional<Stored> parse(String hash) {
      Matcher phc = PHC.matcher(hash);
      if (!phc.matches()) {
        return Optional.empty();
      }
      var cost = new Cost(number(phc, 1), number(phc, 2), number(phc, 3));
      try {
        Base64.Decoder base64 = Base64.getDecoder();
        return Optional.of(
                new Stored(cost, base64.decode(phc.group(4)), base64.decode(phc.group(5))))
            .filter(it -> it.cost.isAllowed());
      } catch (IllegalArgumentException noBase64) {
        return Optional.empty();
      }
    }

    private static int number(Matcher phc, int group) {
      return Integer.parseInt(phc.group(group));
    }
  }

  Argon2id(Secrets secrets) {
    this.secrets = secrets;
  }

  boolean handles(String hash) {
    return Stored.parse(hash).isPresent();
  }

  boolean isCurrent(String hash) {
    return Stored.parse(hash)
        .map(Stored::cost)
        .filter(cost -> cost.memoryKib >= NEW.memoryKib && cost.passes >= NEW.passes)
        .isPresent();
  }

  String hash(String password) {
    byte[] salt = secrets.bytes(SALT_BYTES);
    return "$argon2id$v=19$m=" // not by a format: one has the digits of the machine's language
        + NEW.memoryKib
        + (",t=" + NEW.passes)
        + (",p=" + NEW.lanes)
        + ("$" + BASE64.encodeToString(salt))
        + ("$" + BASE64.encodeToString(tag(password, salt, NEW, TAG_BYTES)));
  }

  /** Compares with a hash that it {@link #handles}. */
  boolean matches(String password, String hash) {
    Stored stored = Stored.parse(hash).orElseThrow();
    byte[] tag = tag(password, stored.salt, stored.cost, stored.tag.length);
    return MessageDigest.isEqual(tag, stored.tag);
  }

  /** Gives back what one of the threads worked in, when it has had nothing to do for long. */
  void forget() {
    HashingMemory memory = idle.poll();
    if (memory != null) {
      memory.close();
    }
  }

  /** The computation; it fails when there is no memory, which must not look like another tag. */
  private byte[] tag(String password, byte[] salt, Cost cost, int length) {
    HashingMemory given = idle.poll();
    HashingMemory memory = given == null ? new HashingMemory() : given;
    byte[] text = password.getBytes(StandardCharsets.UTF_8);
    try (Memory out = new Memory(length);
        Memory in = new Passing(text);
        Memory grains = new Passing(salt)) {
      var context = new Argon2_context.ByReference();
      context.out = out;
      context.outlen = new JnaUint32(length);
      context.pwd = in;
      context.pwdlen = new JnaUint32(text.length);
      context.salt = grains;
      context.saltlen = new JnaUint32(salt.length);
      context.secretlen = new JnaUint32(0);
      context.adlen = new JnaUint32(0);
      context.t_cost = new JnaUint32(cost.passes);
      context.m_cost = new JnaUint32(cost.memoryKib);
      context.lanes = new JnaUint32(cost.lanes);
      context.threads = new JnaUint32(1); // one after the other gives the same, on this thread
      context.version = new Argon2_version(VERSION);
      context.flags = new JnaUint32(0);
      memory.serve(context);
      int result = Argon2Library.INSTANCE.argon2id_ctx(context);
      if (result != Argon2Library.ARGON2_OK) {
        throw new IllegalStateException(Argon2Library.INSTANCE.argon2_error_message(result));
      }
      return out.getByteArray(0, length);
    } finally {
      idle.push(memory);
    }
  }

  /** Freed memory keeps what was in it, so this is overwritten first. */
  private static final class Passing extends Memory {
    Passing(byte[] bytes) {
      super(Math.max(1, bytes.length)); // of no bytes there is none
      write(0, bytes, 0, bytes.length);
    }

    @Override
    public void close() {
      clear();
      super.close();
    }
  }
}
