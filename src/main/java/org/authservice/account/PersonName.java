package org.authservice.account;

import java.text.Normalizer;
import java.util.Optional;

/** Names of people, as they type them. */
public final class PersonName {
  /** Unicode code points. */
  public static final int MAX_LENGTH = 200;

  /** What is wrong with a name that {@link #parse} refuses, as a sentence for its owner. */
  public static final String RULE =
      "A name is 1 to 200 characters without control or text-direction characters.";

  private PersonName() {}

  /**
   * The name in NFC without surrounding white space; empty when nothing is left or when it has
   * characters that turn text around or control a terminal.
   */
  public static Optional<String> parse(String text) {
    String name = Normalizer.normalize(text, Normalizer.Form.NFC).strip();
    boolean harmless = name.codePoints().noneMatch(PersonName::controls);
    int length = name.codePointCount(0, name.length());
    return harmless && length >= 1 && length <= MAX_LENGTH ? Optional.of(name) : Optional.empty();
  }

  private static boolean controls(int point) {
    return switch (Character.getType(point)) {
      case Character.CONTROL, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> true;
      case Character.SURROGATE, Character.UNASSIGNED -> true;
      default ->
          // Embeddings, overrides, isolates and marks of direction (UAX #9).
          (point >= 0x202A && point <= 0x202E)
              || (point >= 0x2066 && point <= 0x2069)
              || point == 0x200E
              || point == 0x200F
              || point == 0x061C;
    };
  }
}
