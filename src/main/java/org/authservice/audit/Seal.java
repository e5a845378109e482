package org.authservice.audit;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HexFormat;

/**
 * Says which events there were in a stretch of time. Each seal's chain value covers the one before,
 * so that the newest, which is signed, vouches for all.
 *
 * @param number counted from 1 without gaps
 * @param until the stretch ends before; it begins where the seal before ends
 * @param events how many there were
 * @param digest SHA-256 over them, in hexadecimal
 * @param keptSince events from before may have been deleted: the retention when this was sealed
 * @param chain SHA-256 over all of the above and the chain value before, in hexadecimal
 * @param signature a code over number and chain value, under the secret key of that time
 */
record Seal(
    long number,
    Instant until,
    long events,
    String digest,
    Instant keptSince,
    String chain,
    String signature) {

  /** What a seal covers before it is signed. */
  record Contents(long events, String digest) {}

  /** What the chain begins with. */
  static final Seal NONE = new Seal(0, Instant.EPOCH, 0, "", Instant.EPOCH, "", "");

  /** The next one, unsigned. */
  Seal next(Instant end, Contents contents, Instant kept) {
    var seal = new Seal(number + 1, end, contents.events(), contents.digest(), kept, "", "");
    return seal.with(seal.chained(chain), "");
  }

  /** The same, signed. */
  Seal signed(String code) {
    return with(chain, code);
  }

  /** Whether it follows that seal, unchanged. */
  boolean follows(Seal before) {
    return number == before.number() + 1 && chain.equals(chained(before.chain()));
  }

  private Seal with(String value, String code) {
    return new Seal(number, until, events, digest, keptSince, value, code);
  }

  private String chained(String before) {
    String covered =
        String.join(
            " ",
            before,
            Long.toString(number),
            Long.toString(until.toEpochMilli()),
            Long.toString(events),
            digest,
            Long.toString(keptSince.toEpochMilli()));
    return HexFormat.of().formatHex(sha256().digest(covered.getBytes(StandardCharsets.US_ASCII)));
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException("SHA-256 is not available", impossible);
    }
  }
}
