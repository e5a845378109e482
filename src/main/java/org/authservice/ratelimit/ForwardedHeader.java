package org.authservice.ratelimit;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The header {@code Forwarded} (RFC 7239), read as a whole or not at all. Splitting it at commas
 * would let a quoted value, such as a {@code host} that the client chose, pass for a hop.
 */
final class ForwardedHeader {
  private static final String DELIMITERS = ";, \t\"\\";

  private final String text;
  private int at;

  private ForwardedHeader(String text) {
    this.text = text;
  }

  /** The {@code for} of each element, "" where there is none; empty when it cannot be read. */
  static Optional<List<String>> hops(String text) {
    return new ForwardedHeader(text).read();
  }

  private Optional<List<String>> read() {
    List<String> hops = new ArrayList<>();
    Optional<String> hop = Optional.empty();
    while (true) {
      String name = name();
      Optional<String> value = value();
      boolean repeated = name.equals("for") && hop.isPresent();
      if (name.isEmpty() || value.isEmpty() || repeated) {
        return Optional.empty();
      }
      hop = name.equals("for") ? value : hop;
      skipSpace();
      boolean atEnd = at == text.length();
      if (atEnd || text.charAt(at) == ',') {
        hops.add(hop.orElse(""));
        hop = Optional.empty();
      } else if (text.charAt(at) != ';') {
        return Optional.empty();
      }
      if (atEnd) {
        return Optional.of(hops);
      }
      at++;
    }
  }

  private String name() {
    skipSpace();
    int start = at;
    while (at < text.length() && isLetter(text.charAt(at))) {
      at++;
    }
    String name = text.substring(start, at).toLowerCase(java.util.Locale.ROOT);
    return at < text.length() && text.charAt(at++) == '=' ? name : "";
  }

  private Optional<String> value() {
    if (at < text.length() && text.charAt(at) == '"') {
      return quoted();
    }
    int start = at;
    while (at < text.length() && DELIMITERS.indexOf(text.charAt(at)) < 0) {
      at++;
    }
    return at == start ? Optional.empty() : Optional.of(text.substring(start, at));
  }

  private Optional<String> quoted() {
    var value = new StringBuilder();
    for (at++; at < text.length(); at++) {
      char next = text.charAt(at);
      if (next == '"') {
        at++;
        return Optional.of(value.toString());
      }
      if (next == '\\' && ++at == text.length()) {
        return Optional.empty();
      }
      value.append(text.charAt(at));
    }
    return Optional.empty();
  }

  private void skipSpace() {
    while (at < text.length() && (text.charAt(at) == ' ' || text.charAt(at) == '\t')) {
      at++;
    }
  }

  private static boolean isLetter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  }
}
