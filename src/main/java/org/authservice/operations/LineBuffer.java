package org.authservice.operations;

import java.util.Arrays;

/**
 * Bytes that are written again and again: UTF-8 text, in the form of JSON where it is asked for.
 */
final class LineBuffer {
  private static final byte[] HEX = {
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'
  };
  private static final boolean[] PLAIN = new boolean[0x7f];

  static {
    Arrays.fill(PLAIN, ' ', PLAIN.length, true);
    PLAIN['"'] = false;
    PLAIN['\\'] = false;
  }

  private static final int MOST_PER_CHARACTER = 6; // an escape such as \\u001b

  private byte[] bytes = new byte[16 * 1024];
  private int length;

  byte[] bytes() {
    return bytes;
  }

  int length() {
    return length;
  }

  void clear() {
    length = 0;
  }

  /** A text as it is, in UTF-8. */
  LineBuffer text(String text) {
    ensure(text.length() * MOST_PER_CHARACTER);
    for (int i = plain(text, 0); i < text.length(); i = plain(text, i)) {
      i += character(text, i);
    }
    return this;
  }

  /** A text between quotation marks (RFC 8259, section 7). */
  LineBuffer quoted(String text) {
    ensure(text.length() * MOST_PER_CHARACTER + 2);
    bytes[length++] = '"';
    for (int i = plain(text, 0); i < text.length(); i = plain(text, i)) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        bytes[length++] = '\\';
        bytes[length++] = (byte) c;
        i++;
      } else if (c < ' ' || c == 0x7f) {
        escape(c);
        i++;
      } else {
        i += character(text, i);
      }
    }
    bytes[length++] = '"';
    return this;
  }

  /** A whole number in decimal digits. */
  LineBuffer number(long value) {
    if (value < 0 || value > Integer.MAX_VALUE) {
      return text(Long.toString(value));
    }
    ensure(10);
    int digits = 1;
    for (long rest = value / 10; rest > 0; rest /= 10) {
      digits++;
    }
    long rest = value;
    for (int at = length + digits - 1; at >= length; at--) {
      bytes[at] = (byte) ('0' + rest % 10);
      rest /= 10;
    }
    length += digits;
    return this;
  }

  /**
   * Characters from that place on that are a byte each and nothing special in JSON, which nearly
   * all are; where the first is that is not.
   */
  private int plain(String text, int from) {
    byte[] to = bytes;
    int end = text.length();
    int shift = length - from;
    int i = from;
    for (; i < end; i++) {
      char c = text.charAt(i);
      if (c >= PLAIN.length || !PLAIN[c]) {
        break;
      }
      to[shift + i] = (byte) c;
    }
    length = shift + i;
    return i;
  }

  /** The character at that place; how many of Java's it takes. */
  private int character(String text, int at) {
    char c = text.charAt(at);
    if (c < 0x80) {
      bytes[length++] = (byte) c;
    } else if (c < 0x800) {
      bytes[length++] = (byte) (0xc0 | c >> 6);
      bytes[length++] = (byte) (0x80 | c & 0x3f);
    } else if (!Character.isSurrogate(c)) {
      bytes[length++] = (byte) (0xe0 | c >> 12);
      bytes[length++] = (byte) (0x80 | c >> 6 & 0x3f);
      bytes[length++] = (byte) (0x80 | c & 0x3f);
    } else {
      int point = text.codePointAt(at);
      if (!Character.isSupplementaryCodePoint(point)) {
        bytes[length++] = '?'; // half a character, which UTF-8 cannot hold
        return 1;
      }
      bytes[length++] = (byte) (0xf0 | point >> 18);
      bytes[length++] = (byte) (0x80 | point >> 12 & 0x3f);
      bytes[length++] = (byte) (0x80 | point >> 6 & 0x3f);
      bytes[length++] = (byte) (0x80 | point & 0x3f);
      return 2;
    }
    return 1;
  }

  private void escape(char c) {
    bytes[length++] = '\\';
    bytes[length++] = 'u';
    bytes[length++] = '0';
    bytes[length++] = '0';
    bytes[length++] = HEX[c >> 4];
    bytes[length++] = HEX[c & 0xf];
  }

  private void ensure(int more) {
    if (bytes.length - length < more) {
      bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, length + more));
    }
  }
}
